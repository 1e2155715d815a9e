"""A language model as the writer: what it is told, and what is made of whatever it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from pack.nodes.engine.film.answer import LONGEST_PROMPT, Direction, read_answer
from pack.nodes.engine.film.screenplay import apply_screenplay, name_shots, write_brief
from pack.nodes.engine.film.storyboard import Wishes, write_storyboard
from pack.nodes.engine.timeline import Shot, Timeline

Song = Callable[..., Timeline]
WISHES = Wishes("ink drawing", "")
THREE = Timeline(9.0, shots=tuple(Shot(3.0 * n, 3.0 * n + 3, f"own {n + 1}", n) for n in range(3)))
ANSWERS = {
    "asked for": '{"shots": [{"shot": 1, "prompt": "a sea"}, {"shot": 2, "prompt": "a city"}, {"shot": 3, "prompt": "a hill"}]}',
    "fenced": 'Sure! Here it is:\n```json\n{"shots": [{"shot": 1, "prompt": "a sea"}, {"shot": 2, "prompt": "a city"},\n'
    '{"shot": 3, "prompt": "a hill"},]}\n```\nHope this helps {smile}!',
    "thought": '<think>Maybe {"shot": 1, "prompt": "wrong"}?</think>[{"shot": "1", "prompt": "a sea"}, '
    '{"shot": "Shot 2", "prompt": "a city"}, '
    '{"shot": 3, "prompt": "a hill"}]',
    "lines of JSON": '{"shot": 1, "prompt": "a sea"}\n{"shot": 2, "prompt": "a city"}\n{"shot": 3, "prompt": "a hill"}',
    "list of texts": '["a sea", "a city", "a hill"]',
    "by number": '{"1": "a sea", "2": {"prompt": "a city"}, "shot 3": "a hill"}',
    "from zero": '[{"id": 0, "description": "a sea"}, {"id": 1, "description": "a city"}, {"id": 2, "description": "a hill"}]',
    "named lines": "Shot 1: a sea\nShot 2: a city\nShot 3: a hill",
    "headings": "### Shot 1 (0:00.0-0:03.0)\n\nPrompt: a sea\n\n### Shot 2\na\ncity\n\n"
    "**Shot 3** - *a hill*\n\nThat was shot 3 of 3. Enjoy!",
    "YAML": "shots:\n- shot: 1\n  prompt: a sea\n- shot: 2\n  prompt: a city\n- shot: 3\n  prompt: a hill",
    "bare lines": "1. a sea\n2) a city\n3: a hill",
    "Japanese": "ショット1：a sea\nショット2：a city\nショット3：a hill",
    "Chinese": "第1镜：a sea\n镜头2：a city\n第3个镜头：a hill",
    "corrected": "Shot 1: wrong\nShot 2: a city\nShot 3: a hill\n\nBetter:\nShot 1: a sea",
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_of_many_forms_are_understood(kind: str) -> None:
    found, remarks = read_answer(ANSWERS[kind], 3)
    assert {number: given.prompt for number, given in found.items()} == {1: "a sea", 2: "a city", 3: "a hill"}
    assert remarks == []


def test_an_answer_cut_off_gives_what_is_there() -> None:
    directed = apply_screenplay(THREE, ANSWERS["asked for"][:60], "ink", "")
    assert [shot.prompt for shot in directed.shots] == ["a sea, ink", "own 2", "own 3"]
    assert directed.remarks == ("The screenplay says nothing usable about shots 2 to 3; there the plan's own prompts are kept.",)


@pytest.mark.parametrize(
    "text", ["", "  ", "I cannot do that.", "{", "[[[[", "{}", "[]", "null", '{"shots": 3}', '{"shots": [1, null, {}]}', "12:30"]
)
def test_an_answer_that_says_nothing_leaves_the_plan(text: str) -> None:
    directed = apply_screenplay(THREE, text, "ink", "")
    assert directed.shots == THREE.shots
    assert len(directed.remarks) == 1 and "not understood" in directed.remarks[0]


def test_what_was_only_thought_of_is_not_taken() -> None:
    found, _ = read_answer('<think>{"shot": 2, "prompt": "an idea"}\nShot 3: another</think>\nShot 1: a sea', 3)
    assert found == {1: Direction("a sea")}
    assert read_answer('the start was cut off {"shot": 2, "prompt": "x"}</THINK>Shot 1: a sea', 3)[0] == found


def test_a_shot_changes_within_itself_and_moves_as_asked() -> None:
    text = (
        '[{"shot": 1, "prompt": "dawn -> night"}, '
        '{"shot": 2, "prompt": "a", "end_prompt": "b", "motion": "Push"}, '
        '{"shot": 3, "prompt": "c", "motion": "spin"}]'
    )
    first, second, third = apply_screenplay(THREE, text, "ink", "").shots
    assert (first.prompt, first.end_prompt) == ("dawn, ink", "night, ink")
    assert (second.end_prompt, second.motion) == ("b, ink", "push")
    assert third.motion == THREE.shots[2].motion
    (remark,) = apply_screenplay(THREE, text, "ink", "").remarks
    assert "shot 3 asks for a motion" in remark and "pulse, drift" in remark


def test_what_goes_beyond_the_film_is_left_out_and_said() -> None:
    directed = apply_screenplay(THREE, "Shot 1: a\nShot 2: b\nShot 3: c\nShot 4: d", "", "")
    assert [shot.prompt for shot in directed.shots] == ["a", "b", "c"]
    assert "tells of shot 4, but the film has the shots 1 to 3" in directed.remarks[0]


def test_neighbours_stay_different() -> None:
    prompts = [shot.prompt for shot in apply_screenplay(THREE, "Shot 1: a\nShot 2: a\nShot 3: a", "", "").shots]
    assert prompts[0] != prompts[1] != prompts[2] and all(prompt.endswith("a") for prompt in prompts)


def test_the_person_stands_where_the_answer_says() -> None:
    first, second, _ = apply_screenplay(THREE, "Shot 1: [Person] at sea\nShot 2: a city\nShot 3: <person>", "", "zuqvex").shots
    assert first.prompt == "zuqvex person at sea" and second.prompt == "a city"


def test_a_person_whom_the_answer_forgets_is_where_the_plan_had_them() -> None:
    planned = Timeline(6.0, shots=(Shot(0, 3, "portrait, zuqvex person", 1), Shot(3, 6, "a hill", 2)))
    directed = apply_screenplay(planned, "Shot 1: a sea\nShot 2: a city", "", "zuqvex")
    assert [shot.prompt for shot in directed.shots] == ["zuqvex person, a sea", "a city"]
    assert "in no shot" in directed.remarks[0]


def test_a_style_that_was_said_is_not_said_again() -> None:
    assert apply_screenplay(THREE, "Shot 1: Ink Drawing of a sea", "ink drawing", "").shots[0].prompt == "Ink Drawing of a sea"


def test_endless_prompts_are_cut_and_said() -> None:
    found, remarks = read_answer("Shot 1: " + "sea " * 5000, 3)
    assert len(found[1].prompt) <= LONGEST_PROMPT and found[1].prompt.endswith("sea")
    assert "shot 1 is longer" in remarks[0]


@pytest.mark.parametrize(
    "text",
    ["[" * 300_000, '{"a":' * 100_000, "<think>" * 50_000, "Shot 1 " * 50_000, '{"shot": 1, ' * 30_000, "*" * 300_000, "1" * 300_000],
)
def test_hostile_answers_are_read_quickly(text: str) -> None:
    import time

    start = time.process_time()
    read_answer(text, 3)
    assert time.process_time() - start < 2


def test_directions_keep_what_was_written() -> None:
    assert read_answer('[{"shot": 1, "prompt": "a (sea:1.2), \\"calm\\""}]', 1)[0] == {1: Direction('a (sea:1.2), "calm')}


def test_the_brief_tells_the_song_and_its_times(full_song: Song) -> None:
    song = full_song()
    planned = write_storyboard(song, WISHES)
    brief = write_brief(planned, WISHES)
    assert "2:00.0 long, 120 beats per minute, 4 beats a bar" in brief and "ink drawing" in brief
    for line in song.lines:
        assert json.dumps(line.text) in brief
    for section in song.sections:
        assert re.search(
            rf"^\d:\d\d\.\d-\d:\d\d\.\d {section.label}: \w+ \(valence 0\.\d+, arousal [01]\.\d+\), energy", brief, re.MULTILINE
        )
    assert len(re.findall(r"^\d+\. \d:\d\d\.\d-\d:\d\d\.\d ", brief, re.MULTILINE)) == len(planned.shots)
    assert f"from 1 to {len(planned.shots)}," in brief and "{person}" in brief and '{"shots": [{"shot": 1, "prompt": "..."}' in brief


def test_the_form_in_the_brief_is_one_that_is_understood(full_song: Song) -> None:
    """A model that repeats the example with words in it answers rightly."""
    brief = write_brief(write_storyboard(full_song(), WISHES), WISHES)
    form = brief.rpartition("in this form:\n")[2].replace("...", "a sea", 1).replace("...", "a city", 1)
    assert read_answer(form, 9)[0] == {1: Direction("a sea"), 2: Direction("a city", motion="push")}


def test_the_brief_does_well_without_sections_lyrics_and_feeling() -> None:
    planned = write_storyboard(Timeline(30.0), Wishes("", "a sea\na {person} in a city"))
    brief = write_brief(planned, Wishes("", "a sea\na {person} in a city"))
    assert "SECTIONS" not in brief and "LYRICS" not in brief and "STYLE" not in brief
    assert "a sea / a {person} in a city" in brief and "valence" not in brief


def test_times_in_the_brief_do_not_round_to_sixty() -> None:
    assert "1:00.0 long" in write_brief(write_storyboard(Timeline(59.97), WISHES), WISHES)


@pytest.mark.parametrize(("numbers", "named"), [([4], "shot 4"), ([3, 7, 8, 9], "shots 3, 7 to 9"), (range(1, 99, 2), "and others")])
def test_shots_are_named_in_stretches(numbers: list[int], named: str) -> None:
    assert name_shots(numbers).endswith(named)
