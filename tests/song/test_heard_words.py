"""What recognisers invent in music is dropped; what a song repeats by itself is kept."""

from __future__ import annotations

import numpy as np
from pack.nodes.engine.song.lyrics.heard_words import HeardSegment, HeardWord, choose_words
from pack.nodes.engine.song.lyrics.recogniser import group_words, write_down
from pack.nodes.engine.song.lyrics.voice import Voice


def segment(text: str, start: float = 0.0, step: float = 0.4, probability: float = 0.9, **doubts: float) -> HeardSegment:
    words = tuple(HeardWord(start + step * at, start + step * (at + 0.9), f" {word}", probability) for at, word in enumerate(text.split()))
    return HeardSegment(words, **doubts)


def texts(*segments: HeardSegment, voice: Voice | None = None) -> str:
    return "".join(word.text for word in choose_words(segments, voice)).strip()


def test_plain_singing_is_kept_in_order() -> None:
    assert texts(segment("over the water", 10.0), segment("carry me home", 1.0)) == "carry me home over the water"


def test_what_the_recogniser_itself_doubts_is_dropped() -> None:
    assert texts(segment("thanks for watching", no_speech=0.9, log_probability=-1.4)) == ""
    assert texts(segment("soft but sure", no_speech=0.9, log_probability=-0.3)) == "soft but sure"


def test_a_loop_that_is_hardly_believed_is_dropped() -> None:
    assert texts(segment("thank you " * 12, probability=0.2)) == ""
    mixed = HeardSegment((HeardWord(0, 0.4, " walls", 0.9), *segment("walls " * 8, 1.0, probability=0.2).words))
    assert texts(mixed) == "walls", "the one that was sung stays"


def test_a_clear_refrain_is_kept() -> None:
    assert texts(segment("la " * 24)) == ("la " * 24).strip()
    assert texts(segment("around the world " * 12, step=0.45)) == ("around the world " * 12).strip()


def test_a_sentence_in_a_moment_is_dropped() -> None:
    assert texts(segment("carry me home"), segment("the same line all over again", 5.0, step=0.03)) == "carry me home"


def test_a_text_that_compresses_too_well_and_too_fast_is_dropped() -> None:
    assert texts(segment("blah " * 60, step=0.08)) == ""


def test_words_where_nobody_sings_are_dropped() -> None:
    voice = Voice(np.array([[1.0, 3.0]]), 20.0)
    assert texts(segment("carry me home", 1.2), segment("thank you", 9.0), voice=voice) == "carry me home"


def test_no_words_and_words_without_letters() -> None:
    assert texts() == "" and texts(segment("♪ ... hey")) == "hey"


def test_heard_words_become_lines() -> None:
    words = [*segment("Carry me home.", 0.0).words, *segment("over the water", 1.2).words, *segment("again", 9.0).words]
    assert write_down(words) == ["Carry me home.", "over the water", "again"]
    long = segment("a very long breath with no pause at all that goes on and on").words
    assert [len(line) <= 42 for line in write_down(long)] == [True, True] and sum(len(group) for group in group_words(long)) == 14
    unspaced = [
        HeardWord(index * 0.3, index * 0.3 + 0.3, letter) for index, letter in enumerate("港の灯りが消えてゆく船を数えて夜が明ける")
    ]
    assert write_down(unspaced) == ["港の灯りが消えてゆく船を数えて夜が明", "ける"]
