"""Pasted lyrics of every kind: what is read, what is forgiven, and what is one sentence that names the line."""

from __future__ import annotations

import time

import pytest
from pack.nodes.engine.song.lyrics.reader import read_lyrics
from pack.nodes.engine.song.lyrics.sheet import LyricError


def texts(pasted: str) -> list[str]:
    return [line.text for line in read_lyrics(pasted).lines]


def times(pasted: str) -> list[tuple[str, float | None, float | None]]:
    return [(line.text, line.start, line.end) for line in read_lyrics(pasted).lines]


def test_plain_lines_and_headings() -> None:
    sheet = read_lyrics("\ufeff[Verse 1]\r\nOne  line \r\n\r\n(ooh)\r\n【サビ】\r\nTwo\r\n[Instrumental]\r\n")
    assert [line.text for line in sheet.lines] == ["One line", "(ooh)", "Two"] and not sheet.timed
    assert [(heading.label, heading.line) for heading in sheet.headings] == [("verse", 0), ("サビ", 2), ("instrumental", 3)]


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("[Verse 2: Ann & Bo]", "verse"), ("[Chorus x2]", "chorus"), ("[Chorus] x2", "chorus"), ("Bridge:", "bridge"), ("(Outro)", "outro"),
        ("副歌", "副歌"), ("Aメロ", "aメロ"), ("[Pre-Chorus]", "pre-chorus"), ("[]", "part"), ("[12]", "12"),
    ],
)  # fmt: skip
def test_parts_that_repeat_share_a_label(line: str, label: str) -> None:
    sheet = read_lyrics(f"{line}\nla")
    assert [heading.label for heading in sheet.headings] == [label] and texts(f"{line}\nla") == ["la"]


@pytest.mark.parametrize(
    "line", ["(ooh, ooh)", "Break my heart", "Hook me up", "Chorus of angels", "🔥🔥", "[start the] engine", "<3 you", "שלום"]
)
def test_lines_that_only_look_like_headings_are_sung(line: str) -> None:
    assert texts(line) == [line]


def test_lrc_ends_lines_at_the_next_stamp_and_at_empty_ones() -> None:
    pasted = "[ti:Song]\n[ar: Me]\n[00:01.50]One\n[00:04.00]Two\n[00:06.25]\n[00:10.5]Three\n[01:00]Four\n"
    assert times(pasted) == [("One", 1.5, 4.0), ("Two", 4.0, 6.25), ("Three", 10.5, 18.5), ("Four", 60.0, 62.0)]


def test_lrc_repeats_offsets_and_order() -> None:
    pasted = "[00:20.00][00:05.00]Again\r[00:10.00]Once\r[00:15.00]\r[offset:+500]\r"
    assert times(pasted)[:2] == [("Again", 4.5, 9.5), ("Once", 9.5, 14.5)] and times(pasted)[2][:2] == ("Again", 19.5)
    assert times("[offset:-1000]\n[00:01.00]x\n[00:02.00]")[0][1:] == (2.0, 3.0)
    assert times("[offset:9000]\n[00:01.00]x\n[00:02.00]")[0][1:] == (0.0, 0.0), "nothing begins before the song"


def test_enhanced_lrc_gives_words_and_pauses() -> None:
    line = read_lyrics("[00:12.00]<00:12.10>hold <00:12.50>me<00:12.90> <00:13.10>tight<00:14.00>").lines[0]
    assert line.text == "hold me tight" and (line.start, line.end) == (12.0, 14.0)
    assert [(word.text, word.start, word.end) for word in line.words] == [("hold", 12.1, 12.5), ("me", 12.5, 12.9), ("tight", 13.1, 14.0)]


def test_enhanced_lrc_without_end_or_spaces() -> None:
    first, second = read_lyrics("[00:01.00]夜<00:01.50>空<00:02.00>に\n[00:03.00][00:13.00]a <00:03.50>b\n").lines[:2]
    assert [(word.text, word.start, word.end) for word in first.words] == [("夜", 1.0, 1.5), ("空", 1.5, 2.0), ("に", 2.0, 3.0)]
    repeat = read_lyrics("[00:03.00][00:13.00]a <00:03.50>b").lines[1]
    assert [word.start for word in second.words] == [3.0, 3.5] and [word.start for word in repeat.words] == [13.0, 13.5]


def test_lrc_lines_without_a_stamp_stay_in_their_place() -> None:
    assert [line[:2] for line in times("before\n[00:05.00]one\nbetween\n[00:09.00]two")] == [
        ("before", None), ("one", 5.0), ("between", None), ("two", 9.0),
    ]  # fmt: skip


def test_headings_within_lrc() -> None:
    sheet = read_lyrics("[Verse]\n[00:05.00]one\n[00:09.00][Chorus]\n[00:10.00]two\n")
    assert [(heading.label, heading.line) for heading in sheet.headings] == [("verse", 0), ("chorus", 1)]
    assert times("[00:05.00]one\n[00:09.00][Chorus]\n[00:10.00]two\n")[0] == ("one", 5.0, 9.0)


def test_srt_and_vtt() -> None:
    srt = "1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Hold</i> me\r\n{\\an8}tight\r\n\r\n2\r\n00:00:03,000 --> 01:00:04,250\r\n1999\r\n"
    assert times(srt) == [("Hold me tight", 1.0, 2.5), ("1999", 3.0, 3604.25)]
    vtt = "WEBVTT\n\nNOTE hello\n\n"
    vtt += "00:01.000 --> 00:02.000 align:middle\nHi\n\n00:02.500 --> 00:03.000\n[Chorus]\n\n00:03.000 --> 00:04.000\nyou\n"
    assert times(vtt) == [("Hi", 1.0, 2.0), ("you", 3.0, 4.0)] and read_lyrics(vtt).headings[0].line == 1
    assert times("1\n00:00:01,000 --> 00:00:02,000\na\n2\n00:00:02,000 --> 00:00:03,000\nb") == [("a", 1.0, 2.0), ("b", 2.0, 3.0)]


@pytest.mark.parametrize(
    ("pasted", "number"),
    [
        ("[00:01.00]a\n[00:75.00]b", 2), ("[00:01.00]a\n[0x:10.00]b\n[00:5z]c", 3), ("[00.01.00]a", 1), ("[-1:05]a", 1),
        ("[00:01.00]a <00:99.00>b", 1), ("[00:01.00]a\n\n[00:02.00]<00:0q>b", 3), ("[offset:soon]\n[00:01.00]a", 1),
        ("1\n00:00:01,000 --> soon\na", 2), ("1\n00:00:05,000 --> 00:00:02,000\na", 2), ("1\n00:61:05,000 --> 00:62:02,000\na", 2),
        ("Dialogue: 0,0:00:99.00,0:00:03.00,D,,0,0,0,,a", 1), ("Dialogue: 0,0:00:09.00,0:00:03.00,D,,0,0,0,,a", 1),
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_read_names_its_line(pasted: str, number: int) -> None:
    with pytest.raises(LyricError, match=rf"^Line {number} of the lyrics .*\.$") as error:
        read_lyrics(pasted)
    assert "\n" not in str(error.value)


def test_invisible_marks_do_not_hide_a_stamp() -> None:
    assert times("\u200f[00:01.00]שלום עולם\u200f\n\ufeff[00:02.00]مرحبا\x00\n[00:03.00]") == [("שלום עולם", 1.0, 2.0), ("مرحبا", 2.0, 3.0)]


@pytest.mark.parametrize("pasted", ["", " \n\u3000\n\ufeff", "[ti:Only metadata]\n[00:01.00]"])
def test_nothing_to_sing_is_an_empty_sheet(pasted: str) -> None:
    assert read_lyrics(pasted).lines == ()


def test_ten_thousand_lines_are_read_at_once() -> None:
    start = time.process_time()
    plain = read_lyrics("\n".join(f"line number {number} 🎵" for number in range(10_000)))
    timed = read_lyrics("\n".join(f"[{number // 60:02}:{number % 60:02}.00]line {number}" for number in range(5_000)))
    assert len(plain.lines) == 10_000 and len(timed.lines) == 5_000 and timed.lines[-1].start == 4999.0
    assert time.process_time() - start < 5


def test_too_much_text_is_one_sentence() -> None:
    with pytest.raises(LyricError, match="too many for a song"):
        read_lyrics("la " * 400_000)
