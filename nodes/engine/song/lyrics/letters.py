"""Words as people write them -> letters that can be compared, and how many syllables they are sung on.

Compared are: NFKC, lower case, without accents of Latin letters and without marks that a reader may leave out (vowel points,
tatweel), katakana as hiragana, no punctuation. Scripts that put no spaces between words are cut into letters (a small kana, a long
mark or a combining mark stays with the letter before it), all others into words. Knows no language but by its script.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

# Han with its extensions, kana, and the scripts of South-East Asia that are written without spaces.
_UNSPACED = (
    "\u3005-\u3007\u3021-\u3029\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fd-\u30ff\u31f0-\u31ff\uff66-\uff9d"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ec0-\u0ec6\u1000-\u102a\u1780-\u17b3"
)
_STAYS = (
    "\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087\u308e\u30a1\u30a3\u30a5\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7\u30ee\u30fc\uff70"
)
_CUT = re.compile(f"[{_UNSPACED}]|[^{_UNSPACED}]+")
_REPEAT_NOTE = re.compile(r"[(\[（]?(?:[x×]\s?\d{1,2}|\d{1,2}\s?[x×])[)\]）]?", re.IGNORECASE)
_KANA = re.compile("[\u3041-\u3096]")
_HAN = re.compile("[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_VOWELS = re.compile("[aeiouyæøœıаеёиоуыэюяіїєαεηιουω]+")
_SPELT = re.compile("[a-zæøœıа-яёіїєα-ω]")  # scripts whose vowels are letters
HAN_SYLLABLES = 1.6  # sung on a kanji in Japanese, on average; in Chinese it is 1, and lines are compared with lines


class Piece(NamedTuple):
    """A word, or a letter of a script without spaces, and where it begins in its line."""

    text: str
    place: int


def normalise(text: str) -> str:
    """The letters and digits of a text in the form in which they are compared."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    hiragana = "".join(chr(ord(letter) - 0x60) if "\u30a1" <= letter <= "\u30f6" else letter for letter in folded)
    apart = unicodedata.normalize("NFD", hiragana)
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter) or letter in "\u3099\u309a")
    joined = unicodedata.normalize("NFC", bare)
    return "".join(
        letter for letter in joined if (letter.isalnum() or unicodedata.category(letter)[0] == "M") and letter not in "\u30fc\u0640"
    )


def split_words(line: str) -> list[Piece]:
    """The words of a line, each with its punctuation; what has no letters, and notes such as "(x2)", is no word."""
    pieces: list[Piece] = []
    for chunk in re.finditer(r"\S+", line):
        if _REPEAT_NOTE.fullmatch(chunk[0]):
            continue
        for part in _CUT.finditer(chunk[0]):
            place = chunk.start() + part.start()
            follows = bool(pieces) and pieces[-1].place + len(pieces[-1].text) == place and part.start() > 0
            if follows and (part[0][0] in _STAYS or _is_mark(part[0])):
                pieces[-1] = Piece(pieces[-1].text + part[0], pieces[-1].place)
            elif normalise(part[0]):
                pieces.append(Piece(part[0], place))
    return [_trim(piece) for piece in pieces]


def _is_mark(text: str) -> bool:
    return all(unicodedata.category(letter)[0] == "M" or letter in _STAYS for letter in text)


def _trim(piece: Piece) -> Piece:
    """Punctuation that hangs on letters of a script without spaces is not sung and stays outside."""
    if not re.search(f"[{_UNSPACED}]", piece.text):
        return piece
    return Piece(piece.text.rstrip("\u3001\u3002\uff0c\uff01\uff1f!?,.\u2026\u300d\u300f"), piece.place)


def is_unspaced(text: str) -> bool:
    """Whether a text is written mostly in a script without spaces between words."""
    letters = [letter for letter in text if letter.isalnum()]
    return 2 * len(re.findall(f"[{_UNSPACED}]", text)) > len(letters)


def guess_language(text: str) -> str | None:
    """The language that a text's script gives away (ja, zh, ko, th, ru, el, he, ar, hi), or None."""
    shown = normalise(text)
    kana, han, hangul = (len(script.findall(shown)) for script in (_KANA, _HAN, _HANGUL))
    letters = max(1, sum(letter.isalpha() for letter in shown))
    if (kana + han) * 3 > letters:
        return "ja" if kana * 10 > kana + han else "zh"
    if hangul * 3 > letters:
        return "ko"
    ranges = {
        "th": "\u0e01-\u0e30",
        "ru": "\u0430-\u044f",
        "el": "\u03b1-\u03c9",
        "he": "\u05d0-\u05ea",
        "ar": "\u0621-\u064a",
        "hi": "\u0905-\u0939",
    }
    return next((code for code, letters_of in ranges.items() if len(re.findall(f"[{letters_of}]", shown)) * 2 > letters), None)


def count_syllables(text: str) -> float:
    """On about how many syllables a text is sung; at least 1."""
    return max(1.0, sum(_word_syllables(normalise(piece.text)) for piece in split_words(text)))


def _word_syllables(letters: str) -> float:
    if not letters:
        return 0.0
    han, kana, hangul = (len(script.findall(letters)) for script in (_HAN, _KANA, _HANGUL))
    small = sum(letter in _STAYS and letter != "\u3063" for letter in letters)
    if han or kana or hangul:
        rest = _HANGUL.sub("", _KANA.sub("", _HAN.sub("", letters)))
        return HAN_SYLLABLES * han + max(kana - small, 0) + hangul + _word_syllables(rest)
    if not _SPELT.search(letters):  # digits, and scripts that leave vowels out or mark them
        return max(1.0, len(letters) / 2)
    groups = len(_VOWELS.findall(letters))
    silent_e = groups > 1 and re.search("[^aeioulyr]e$", letters) is not None
    return float(max(1, groups - silent_e))
