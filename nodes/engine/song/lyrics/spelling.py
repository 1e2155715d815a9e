"""The words of a line -> the letters they are compared by: numbers spelt out, readings where a reader is installed.

A recogniser writes "twenty four" where the sheet says "24", and another kanji of the same sound. English numbers are spelt here;
of other languages by `num2words`, Chinese is read by `pypinyin` and Japanese by `fugashi` with `unidic-lite`: each is used where it
is installed and done without where it is not. Both sides of a comparison have to be spelt by the same speller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from .letters import normalise

Speller = Callable[[Sequence[str]], list[str]]  # the words of one line -> the letters of each

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth"}
_NUMBER = re.compile(r"(?<!\w)(\d{1,3}(?:,\d{3}){1,2}|\d{1,9})(st|nd|rd|th|s)?(?!\w)", re.IGNORECASE)
_SIGNS = {"&": " and ", "%": " percent ", "$": " dollar "}


def make_speller(language: str | None) -> Speller:
    """How words of a language are compared; `language` is a code such as "en", or None where it is not known."""
    if language == "zh" and find_spec("pypinyin"):
        return _spell_pinyin
    if language == "ja" and find_spec("fugashi") and find_spec("unidic_lite"):
        return _make_kana_speller()
    if language in (None, "en"):
        return lambda words: [normalise(spell_english(word)) for word in words]
    if language not in ("ja", "zh", "ko") and find_spec("num2words"):
        return lambda words: [normalise(_spell_numbers(word, str(language))) for word in words]
    return lambda words: [normalise(word) for word in words]


def spell_english(text: str) -> str:
    """A text with its numbers as an English singer says them: 24 is twenty four, 1999 nineteen ninety nine, 80s eighties."""
    if not any(letter.isdecimal() or letter in _SIGNS for letter in text):
        return text
    for sign, name in _SIGNS.items():
        text = text.replace(sign, name)
    return _NUMBER.sub(lambda found: _end(_say(int(found[1].replace(",", ""))), (found[2] or "").lower()), text)


def _end(name: str, ending: str) -> str:
    """ "twenty one" with "st" is "twenty first", "eighty" with "s" is "eighties"."""
    if not ending:
        return name
    rest, last = name[: name.rfind(" ") + 1], name.split()[-1]
    if ending == "s":
        return rest + (f"{last[:-1]}ies" if last.endswith("y") else f"{last}s")
    return rest + _ORDINALS.get(last, f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")


def _say(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    if number < 100:
        return _TENS[number // 10] + (f" {_SMALL[number % 10]}" if number % 10 else "")
    if 1100 <= number < 2100 and number % 1000 >= 10 and number % 100:  # a year
        return f"{_say(number // 100)} {'oh ' if number % 100 < 10 else ''}{_say(number % 100)}"
    for size, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            return f"{_say(number // size)} {name}" + (f" {_say(number % size)}" if number % size else "")
    return ""


def _spell_numbers(text: str, language: str) -> str:
    """Numbers by num2words; a language that it does not know keeps its digits."""
    if not any(letter.isdecimal() for letter in text):
        return text
    from num2words import num2words  # pyright: ignore[reportMissingImports]  # optional

    try:
        return re.sub(r"\d{1,9}", lambda found: f" {num2words(int(found[0]), lang=language)} ", text)
    except NotImplementedError:
        return text


def _spell_pinyin(words: Sequence[str]) -> list[str]:
    """Toneless pinyin of each word, read in the context of its line, so that homophones and both scripts are alike."""
    from pypinyin import lazy_pinyin  # pyright: ignore[reportMissingImports]  # optional

    joined = "".join(words)
    read = lazy_pinyin(joined, errors=lambda rest: list(rest))
    if len(read) != len(joined):
        return [normalise("".join(lazy_pinyin(word))) for word in words]
    spelt, place = [], 0
    for word in words:
        spelt.append(normalise("".join(read[place : place + len(word)])))
        place += len(word)
    return spelt


def _make_kana_speller() -> Speller:
    """Hiragana by fugashi; the reading of a word of several kanji is shared among them."""
    from fugashi import Tagger  # pyright: ignore[reportMissingImports]  # optional

    tagger = Tagger()

    def spell(words: Sequence[str]) -> list[str]:
        joined = "".join(words)
        letters = [""] * len(joined)
        place = 0
        for token in tagger(joined):
            surface = token.surface
            place = joined.find(surface, place)
            read = normalise(getattr(token.feature, "kana", None) or surface)
            same = len(normalise(surface)) == len(surface) == len(read)
            for index in range(len(surface)):
                share = (
                    slice(index, index + 1) if same else slice(len(read) * index // len(surface), len(read) * (index + 1) // len(surface))
                )
                letters[place + index] = read[share]
            place += len(surface)
        spelt, place = [], 0
        for word in words:
            spelt.append("".join(letters[place : place + len(word)]) or normalise(word))
            place += len(word)
        return spelt

    return spell
