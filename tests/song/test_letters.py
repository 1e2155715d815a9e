"""Words cut, folded, spelt and counted, in the scripts that songs are written in."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
from pack.nodes.engine.song.lyrics import spelling
from pack.nodes.engine.song.lyrics.letters import count_syllables, guess_language, is_unspaced, normalise, split_words
from pack.nodes.engine.song.lyrics.spelling import make_speller, spell_english


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Don’t STOP!", "dontstop"), ("Café naïve", "cafenaive"), ("Straße", "strasse"),
        ("ＦＵＬＬ　１２", "full12"), ("カタカナ ラーメン", "かたかならめん"),
        ("がぎ", "がぎ"), ("ﾊﾟﾝ", "ぱん"), ("שָׁלוֹם", "שלום"), ("مَرْحَبـــا", "مرحبا"), ("Ёлка", "елка"), ("한국어", "한국어"),
        ("🔥 …", ""), ("दुनिया", "दुनिया"),
    ],
)  # fmt: skip
def test_letters_are_folded_alike(text: str, letters: str) -> None:
    assert normalise(text) == letters and normalise(letters) == letters


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Oh, hold (me) tonight - x2", ["Oh,", "hold", "(me)", "tonight"]),
        ("夜空に、きゃりーの「星」", ["夜", "空", "に", "きゃ", "りー", "の", "星"]),
        ("I'm 愛してるbaby!", ["I'm", "愛", "し", "て", "る", "baby!"]),
        ("안녕 세상아", ["안녕", "세상아"]),
        ("ดีครับ", ["ดี", "ค", "รั", "บ"]),
        ("שלום, עולם", ["שלום,", "עולם"]),
        ("♪ 🎵 ... —", []),
        ("(x3)", []),
    ],
)
def test_lines_are_cut_into_words_or_letters(line: str, words: list[str]) -> None:
    pieces = split_words(line)
    assert [piece.text for piece in pieces] == words
    assert all(line[piece.place :].startswith(piece.text) for piece in pieces)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("home", 1),
        ("the morning", 3),
        ("daughter", 2),
        ("I", 1),
        ("hmm", 1),
        ("さくら", 3),
        ("きゃりー", 2),
        ("月亮", 3.2),
        ("안녕하세요", 5),
        ("Привет", 2),
        ("", 1),
    ],
)
def test_syllables(text: str, count: float) -> None:
    assert count_syllables(text) == pytest.approx(count)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("港の灯りが消えてゆく", "ja"),
        ("带我回家", "zh"),
        ("안녕 세상", "ko"),
        ("привет мир", "ru"),
        ("שלום", "he"),
        ("hello 世", None),
        ("", None),
        ("สวัสดี", "th"),
    ],
)
def test_a_script_gives_its_language_away(text: str, language: str | None) -> None:
    assert guess_language(text) == language


def test_unspaced() -> None:
    assert is_unspaced("港の灯り") and not is_unspaced("baby 愛") and not is_unspaced("한국어")


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("24 hours", "twenty four hours"), ("in 1999", "in nineteen ninety nine"), ("1905", "nineteen oh five"),
        ("2000 light", "two thousand light"),
        ("the 80s", "the eighties"), ("21st", "twenty first"), ("5th", "fifth"), ("20th", "twentieth"), ("1,000,001", "one million one"),
        ("0", "zero"), ("you & me", "you  and  me"), ("x2y", "x2y"), ("no numbers", "no numbers"), ("110", "one hundred ten"),
    ],
)  # fmt: skip
def test_english_numbers_as_they_are_sung(text: str, spelt: str) -> None:
    assert spell_english(text) == spelt


def test_spelling_needs_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "find_spec", lambda name: None)
    assert make_speller("ja")(["夜", "空"]) == ["夜", "空"] and make_speller("zh")(["月"]) == ["月"]
    assert make_speller("de")(["24"]) == ["24"] and make_speller(None)(["24"]) == ["twentyfour"]


def offer(monkeypatch: pytest.MonkeyPatch, **modules: SimpleNamespace) -> None:
    """Stand-ins for packages that may not be installed, with the calls of theirs that are used."""
    for name, content in modules.items():
        module = ModuleType(name)
        module.__dict__.update(vars(content))
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(spelling, "find_spec", lambda name: name in modules or None)


def test_chinese_is_read_in_the_context_of_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def lazy_pinyin(text: str, errors: object = None) -> list[str]:
        asked.append(text)
        return ["yin", "yue", "k"]

    offer(monkeypatch, pypinyin=SimpleNamespace(lazy_pinyin=lazy_pinyin))
    assert make_speller("zh")(["音", "乐", "k"]) == ["yin", "yue", "k"] and asked == ["音乐k"]


def test_japanese_readings_are_shared_among_the_kanji_of_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def token(surface: str, kana: str | None) -> SimpleNamespace:
        return SimpleNamespace(surface=surface, feature=SimpleNamespace(kana=kana))

    tokens = [token("星空", "ホシゾラ"), token("の", "ノ"), token("X", None)]
    offer(monkeypatch, fugashi=SimpleNamespace(Tagger=lambda: lambda text: tokens), unidic_lite=SimpleNamespace())
    assert make_speller("ja")(["星", "空", "の", "X"]) == ["ほし", "ぞら", "の", "x"]


def test_numbers_of_other_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    def num2words(number: int, lang: str) -> str:
        if lang == "xx":
            raise NotImplementedError
        return "vierundzwanzig"

    offer(monkeypatch, num2words=SimpleNamespace(num2words=num2words))
    assert make_speller("de")(["24", "Stunden"]) == ["vierundzwanzig", "stunden"] and make_speller("xx")(["24"]) == ["24"]
