"""Songs whose words and times are known exactly, how a bad recogniser would hear them, and a vocals stem of each.

The lyrics are our own. A song is a row of words with times (notes of a syllable each, pauses, an instrumental part, a repeated
chorus); its stem has a voice-like tone wherever a word is sung, over what separation leaves of the band. The simulated recogniser
mishears, loses and invents words, loses lines, repeats itself and is late or early. Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pack.nodes.engine.song.lyrics.heard_words import HeardSegment, HeardWord
from pack.nodes.engine.song.lyrics.letters import count_syllables, is_unspaced, split_words

RATE = 16000
BLEED = 10 ** (-44 / 20)  # of the band in the stem

LYRICS = {
    "en": """[Verse 1]
The lamps go out along the harbour wall
I count the boats and none of them is mine
A radio is playing in the hall
The same old song, the same old borrowed line
[Chorus]
So carry me home over the silver water
Carry me home before the morning calls
I left my name with the lighthouse keeper's daughter
She wrote it down in chalk on painted walls
[Instrumental]
[Verse 2]
The winter took the letters from the signs
And nobody remembers what they said
I walk by heart between the railway lines
With 24 small hours in my head
[Chorus]
So carry me home over the silver water
Carry me home before the morning calls
I left my name with the lighthouse keeper's daughter
She wrote it down in chalk on painted walls
[Outro]
Painted walls, painted walls
(carry me) home""",
    "ja": """[Aメロ]
港の灯りが消えてゆく
船を数えて夜が明ける
ラジオの歌は誰の声
窓に残った白い息
[サビ]
銀色の海を越えてゆこう
朝が呼ぶまで手をつないで
名前を呼んでよもう一度
壁に描いた小さな星
[間奏]
[Aメロ]
冬が看板の文字をさらい
誰も言葉を覚えていない
線路の間を歩いてゆく
ポケットの中に古い切符
[サビ]
銀色の海を越えてゆこう
朝が呼ぶまで手をつないで
名前を呼んでよもう一度
壁に描いた小さな星""",
    "zh": """[主歌]
港口的灯一盏一盏熄灭
我数着船没有一艘等我
收音机里唱着谁的昨天
窗上还留着白色的呼吸
[副歌]
带我回家越过银色的海
在清晨呼唤我们之前
我把名字交给守灯的人
她用粉笔写在斑驳的墙
[间奏]
[主歌]
冬天带走了招牌上的字
没有人记得它们说什么
我沿着铁轨慢慢地走
口袋里有一张旧的车票
[副歌]
带我回家越过银色的海
在清晨呼唤我们之前
我把名字交给守灯的人
她用粉笔写在斑驳的墙""",
}
OTHER = {
    "en": "Buy the ticket, ride the dragon\nEvery engine needs a spark tonight\nMountains tumble, kingdoms crumble\n"
    "Dance until the fever turns to light\nThunder drums and copper trumpets\nSpin the bottle, break the golden chain\n"
    "Nothing matters but the rhythm\nJump into the purple hurricane",
    "ja": "太鼓の音が鳴り響いて\n龍の背中に飛び乗ろう\n山も崩れる踊り続け\n金の鎖をほどいてよ\n紫色の嵐の中へ\n火花が散って熱くなる",
    "zh": "鼓声响起大地震动\n骑上巨龙飞向天空\n高山倒塌王国消失\n跳舞直到天色发亮\n打破金色沉重锁链\n跳进紫色的暴风雨",
}
_WRONG = {
    "en": "the love and you night a of in my oh so then with".split(),
    "ja": list("のはがをにいうかれとき人私花"),
    "zh": list("我你心月光的是在了不花"),
}
_INVENTED = {"en": "oh yeah la hey thanks for watching".split(), "ja": list("ああラララ"), "zh": list("啊啦哦耶")}


@dataclass(frozen=True)
class SungWord:
    start: float
    end: float
    text: str
    line: int


@dataclass(frozen=True)
class Song:
    language: str
    text: str  # as pasted, with headings
    lines: tuple[str, ...]
    words: tuple[SungWord, ...]
    breaks: tuple[tuple[float, float], ...]  # intro, instrumental parts, ending
    duration: float

    @property
    def spans(self) -> np.ndarray:
        """When somebody sings, [words, 2]."""
        return np.array([[word.start, word.end] for word in self.words])


@dataclass(frozen=True)
class Misheard:
    segments: tuple[HeardSegment, ...]
    right: frozenset[int]  # numbers of the words that were heard as they are


def sing(language: str, seed: int, text: str | None = None) -> Song:
    """A song on the lyrics of a language; every seed sings it otherwise."""
    rng = np.random.default_rng([seed, sorted(LYRICS).index(language)])
    text = LYRICS[language] if text is None else text
    now, number = float(rng.uniform(5, 12)), 0
    words: list[SungWord] = []
    lines: list[str] = []
    breaks = [(0.0, now)]
    pace = float(rng.uniform(0.2, 0.34))
    for row in text.splitlines():
        if row.startswith("["):
            rest = float(rng.uniform(8, 16)) if row.strip("[]") in ("Instrumental", "間奏", "间奏") else float(rng.uniform(0.5, 3))
            if words:
                breaks += [(now, now + rest)] if rest > 5 else []
                now += rest
            continue
        lines.append(row)
        pieces = [piece.text for piece in split_words(row)]
        for index, piece in enumerate(pieces):
            length = pace * count_syllables(piece) * float(rng.choice([0.7, 1, 1, 1.5])) * (1.8 if index == len(pieces) - 1 else 1)
            words.append(SungWord(now, now + 0.93 * length, piece, number))
            now += length
            if len(pieces) > 4 and index == len(pieces) // 2 and rng.random() < 0.3:
                now += float(rng.uniform(0.25, 0.7))  # a breath within the line
        now += float(rng.choice([0.0, rng.uniform(0.1, 0.4), rng.uniform(0.4, 1.6)]))
        number += 1
    ending = float(rng.uniform(4, 10))
    breaks.append((now, now + ending))
    return Song(language, text, tuple(lines), tuple(words), tuple(breaks), now + ending)


def record_stem(song: Song, seed: int = 0) -> np.ndarray:
    """The vocals of a song as a separator gives them, float32 [1, samples] at `RATE`."""
    rng = np.random.default_rng(seed)
    stem = (BLEED * 0.3 * rng.standard_normal(int(song.duration * RATE))).astype(np.float32)
    for word in song.words:
        first, last = int(word.start * RATE), int(word.end * RATE)
        time = np.arange(last - first) / RATE
        pitch = float(rng.uniform(150, 400))
        tone = sum(np.sin(2 * np.pi * pitch * harmonic * time) / harmonic for harmonic in (1, 2, 3, 4))
        edge = np.clip(np.minimum(time, time[::-1]) / 0.02, 0, 1)
        stem[first:last] += (0.2 * float(rng.uniform(0.5, 1)) * edge * tone).astype(np.float32)
    return stem[None]


def mishear(song: Song, seed: int, wrong: float = 0.12, lost: float = 0.1, invented: float = 0.08, jitter: float = 0.045) -> Misheard:
    """The words as a recogniser led astray by music gives them: shares of words misheard, lost and invented, times off by
    `jitter` seconds (standard deviation), besides one line lost, a phrase repeated and a loop in the instrumental part."""
    rng = np.random.default_rng([seed, 7])
    heard: list[HeardWord] = []
    right: set[int] = set()
    missing = int(rng.integers(0, len(song.lines)))
    for index, word in enumerate(song.words):
        chance = rng.random()
        if word.line == missing or chance < lost:
            continue
        text = word.text
        if chance < lost + wrong:
            text = str(rng.choice(_WRONG[song.language]))
        else:
            right.add(index)
        start = word.start + float(rng.normal(0, jitter))
        heard.append(HeardWord(start, max(start + 0.05, word.end + float(rng.normal(0, jitter))), text, float(rng.uniform(0.5, 0.95))))
        if rng.random() < invented:
            heard.append(HeardWord(heard[-1].end, heard[-1].end + 0.15, str(rng.choice(_INVENTED[song.language])), 0.3))
    heard.sort(key=lambda word: word.start)
    heard += _repeat(heard, int(rng.integers(5, len(heard) - 5)), rng)
    middle = next((part for part in song.breaks[1:-1]), song.breaks[0])
    phrase = heard[:4]
    step = (middle[1] - middle[0]) / 24
    heard += [HeardWord(middle[0] + step * place, middle[0] + step * (place + 0.9), phrase[place % 4].text, 0.35) for place in range(24)]
    heard.sort(key=lambda word: word.start)
    return Misheard((HeardSegment(tuple(_with_spaces(heard)), 0.1, -0.4),), frozenset(right))


def _repeat(heard: list[HeardWord], place: int, rng: np.random.Generator) -> list[HeardWord]:
    """The last words said once more at once, in no time, as recognisers do."""
    moment = heard[place].end
    return [
        HeardWord(moment + 0.03 * count, moment + 0.03 * (count + 1), word.text, 0.6) for count, word in enumerate(heard[place - 4 : place])
    ]


def _with_spaces(heard: list[HeardWord]) -> list[HeardWord]:
    return [word if is_unspaced(word.text) else HeardWord(word.start, word.end, " " + word.text, word.probability) for word in heard]
