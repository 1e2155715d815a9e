"""What each shot shows: moments and wishes -> one Picture a shot.

Scenes are the user's own where there are any; else they are built from the lines sung, the feeling and the section by
the rules and word lists in `words/`. Sections with one label share their look. Two neighbours never get the same
prompt. Same moments, same prompts: the seed has no part in them. Knows nothing of times or files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from .lexicon import Image, read_words
from .moments import Moment

PERSON = "{person}"  # in a scene, a plan or a screenplay
GENTLE = 0.5  # arousal below which a chorus is lifted gently
VARIATIONS = 24  # tries to say something that was not said before


@dataclass(frozen=True)
class Picture:
    """What a shot shows when it begins and, unless empty, when it ends."""

    prompt: str
    end_prompt: str = ""


def write_pictures(moments: Sequence[Moment], scenes: Sequence[str], style: str, person: str) -> list[Picture]:
    """One Picture a moment. `scenes` are the user's, taken in turn, "a -> b" turning into b within the shot; with none
    the rules write them. `person` is the trigger word of who shall be seen, or empty."""
    if scenes:
        cast = cast_scenes(scenes, person)
        return [_show_scene(moment, cast, style, person) for moment in moments]
    return _Writer(moments, style, person).write()


def cast_scenes(scenes: Sequence[str], trigger: str) -> list[str]:
    """Puts the person where scenes say `{person}`; a person whom no scene mentions is in every one."""
    if trigger and not any(PERSON in scene for scene in scenes):
        scenes = [" -> ".join(f"{PERSON}, {half.strip()}" for half in scene.split("->", 1) if half.strip()) for scene in scenes]
    return [name_person(scene, trigger) for scene in scenes]


def name_person(prompt: str, trigger: str) -> str:
    """Writes a person as the captions did that their LoRA was trained on: `{person}` becomes `zuqvex person`."""
    return prompt.replace(PERSON, f"{trigger} person" if trigger else "a person")


def join_words(*parts: str) -> str:
    """Parts of a prompt with commas between them, empty ones left out."""
    return ", ".join(part.strip(" ,") for part in parts if part.strip(" ,"))


def by_level(table: Sequence[Any], level: float) -> Any:
    """The value of the first row whose limit the level is under."""
    return next(value for limit, value in table if level < limit)


def _show_scene(moment: Moment, scenes: Sequence[str], style: str, person: str) -> Picture:
    """The user's scene with a framing, and what the song adds to it: a small thing of the line sung and the feeling."""
    grammar, number = read_words("grammar"), moment.number
    first, _, last = scenes[number % len(scenes)].partition("->")
    kind = "portrait" if person and f"{person} person" in first else "user scene"
    framings = grammar["framings"][kind]
    words = {
        "framing": framings[(number + number // len(scenes)) % len(framings)],
        "detail": _unsaid_detail(moment.images, first, number),
        "style": style,
        "mood": _feeling_of(moment),
    }
    return Picture(
        _fill(grammar["user scene"], {**words, "scene": first}),
        _fill(grammar["user scene"], {**words, "scene": last}) if last.strip() else "",
    )


def _unsaid_detail(images: Sequence[Image], scene: str, number: int) -> str:
    """A small thing that the line sung speaks of; nothing that would move the user's scene to another place or time."""
    details = [image.say[number % len(image.say)] for image in images if image.slot == "detail"]
    return next((detail for detail in details if detail.split()[-1].lower() not in scene.lower()), "")


def _feeling_of(moment: Moment) -> str:
    grammar = read_words("grammar")
    mood = find_emotion(moment.valence, moment.arousal)["mood"] if moment.felt else by_level(grammar["moods by level"], moment.level)
    return lift_chorus(mood, moment)


def lift_chorus(mood: str, moment: Moment) -> str:
    """The mood with the words of a chorus, if it is one and they are not there already."""
    if not moment.chorus:
        return mood
    gentle = moment.felt and moment.arousal < GENTLE
    lift = read_words("grammar")["chorus"]["gentle" if gentle else "strong"]
    said = [] if mood.startswith("calm") else [part for part in mood.split(", ") if part not in lift.split(", ")]
    return join_words(*said, lift)


def find_emotion(valence: float, arousal: float) -> dict[str, Any]:
    """The entry of `words/emotions.json` nearest to a feeling, both 0..1."""
    emotions = read_words("emotions")["emotions"]
    return min(emotions, key=lambda emotion: math.dist(emotion["at"], (valence, arousal)))


def choose_cast(moments: Sequence[Moment]) -> frozenset[int]:
    """The numbers of the shots that show the person: choruses and lines about somebody first, at least half of all shots,
    and never all of more than three."""
    count = len(moments)
    if count <= 3:
        return frozenset(moment.number for moment in moments)
    ranks = {moment.number: 2.0 * moment.chorus + 2.0 * moment.someone + bool(moment.lines) for moment in moments}
    wanted = sum(rank >= 2 for rank in ranks.values())
    seats = min(max(wanted, math.ceil(count / 2)), count - max(1, count // 4))
    # Among equals the golden ratio spreads the choice evenly over the film.
    order = sorted(ranks, key=lambda number: (-ranks[number], (number * 0.6180339887) % 1))
    return frozenset(order[:seats])


@dataclass(frozen=True)
class _Look:
    """What all shots of one kind have in common."""

    palette: str
    time: str
    weather: str
    places: tuple[str, ...]


def _kind_of(moment: Moment) -> str:
    """What shots share their look by: the label of the section, or the feeling where there are no sections."""
    return moment.label or f"({find_emotion(moment.valence, moment.arousal)['name']})"


class _Writer:
    """Builds prompts by the rules, and remembers what it said."""

    def __init__(self, moments: Sequence[Moment], style: str, person: str) -> None:
        self._moments, self._style, self._person = moments, style, person
        self._grammar = read_words("grammar")
        self._cast = choose_cast(moments)
        self._said: set[str] = set()
        kinds = dict.fromkeys(_kind_of(moment) for moment in moments)
        self._looks = {kind: self._find_look(kind, order) for order, kind in enumerate(kinds)}

    def write(self) -> list[Picture]:
        return [Picture(self._write_one(moment)) for moment in self._moments]

    def _find_look(self, kind: str, order: int) -> _Look:
        """From the mean feeling of the shots of that kind; kinds of one feeling differ by their order."""
        moments = [moment for moment in self._moments if _kind_of(moment) == kind]
        valence = sum(moment.valence for moment in moments) / len(moments)
        arousal = sum(moment.arousal for moment in moments) / len(moments)
        emotion = find_emotion(valence, arousal)
        sung = [image.say[0] for moment in moments for image in moment.images if image.slot == "place"]
        most = sorted(dict.fromkeys(sung), key=lambda place: -sung.count(place))
        rest = _turn(emotion["places"], order)
        return _Look(
            palette=_turn(emotion["palettes"], order)[0],
            time=_turn(emotion["times"], order)[0],
            weather=_turn(emotion["weathers"], order)[0],
            places=tuple(dict.fromkeys([*most, *rest]))[:3],
        )

    def _write_one(self, moment: Moment) -> str:
        """A prompt that was not there before, as far as the words go; never that of the shot before."""
        prompt = ""
        for variation in range(VARIATIONS):
            prompt = self._compose(moment, variation)
            if prompt not in self._said:
                break
        self._said.add(prompt)
        return prompt

    def _compose(self, moment: Moment, variation: int) -> str:
        shown = moment.number in self._cast
        kind = ("portrait" if self._person else "person") if shown else "scenery"
        framings = self._grammar["framings"][kind]
        turn = moment.number + variation
        look, emotion = self._looks[_kind_of(moment)], find_emotion(moment.valence, moment.arousal)
        place = self._say(moment, "place", variation) or look.places[(moment.step + variation // 7) % len(look.places)]
        words = {
            "framing": framings[(turn + turn // len(framings)) % len(framings)],
            "subject": self._subject(),
            "place": place,
            "action": self._say(moment, "action", variation) or self._act(moment, emotion, turn),
            "face": self._say(moment, "face", variation) or _pick(emotion["faces"], turn // 2),
            "time": self._say(moment, "time", variation) or look.time,
            "light": _pick(emotion["lights"], turn),
            "weather": self._say(moment, "weather", variation) or ("" if shown else look.weather),
            "palette": look.palette,
            "detail": self._say(moment, "detail", variation) or _pick(emotion["details"], turn),
            "style": self._style,
            "mood": lift_chorus(emotion["mood"], moment),
        }
        return name_person(_fill(self._grammar["person" if shown else "scenery"], self._agree(moment, words)), self._person)

    def _subject(self) -> str:
        """A trained person as the captions showed them, unless the style says how it is drawn."""
        photo = self._person and (not self._style or "photo" in self._style.lower())
        return f"photo of {PERSON}" if photo else PERSON

    def _say(self, moment: Moment, slot: str, variation: int) -> str:
        """What the line sung gives to a part of the prompt, in words that change from shot to shot."""
        images = [image for image in moment.images if image.slot == slot]
        if not images:
            return ""
        image = images[variation % len(images)]
        return image.say[(moment.step + variation // len(images)) % len(image.say)]

    def _act(self, moment: Moment, emotion: dict[str, Any], turn: int) -> str:
        """Somebody who is seen during a sung line sings it every other time."""
        if moment.lines and (moment.chorus or moment.step % 2 == 0):
            return _pick(self._grammar["sung"], turn // 3)
        return _pick(emotion["actions"], turn // 2)

    def _agree(self, moment: Moment, words: dict[str, str]) -> dict[str, str]:
        """Takes out what cannot be seen together: weather within walls, the sun at night. Lamps take the sun's place indoors."""
        indoors = words["place"] in _indoors()
        night = words["time"] in self._grammar["nights"]
        if indoors or (night and words["weather"] in self._grammar["needs the sun"]):
            words = {**words, "weather": ""}
        if indoors and not any(image.slot == "time" for image in moment.images):
            words = {**words, "time": words["light"]}
        return words


@cache
def _indoors() -> frozenset[str]:
    """All the ways to say a place with a roof over it."""
    said = [place for entry in read_words("imagery")["images"] if entry.get("indoors") for place in entry["say"]]
    return frozenset([*said, *read_words("grammar")["indoors"]])


def _fill(template: str, words: dict[str, str]) -> str:
    """The template with its parts filled in; a part that is empty vanishes with its comma. `{person}` stays."""
    parts = [re.sub(r"\{([a-z ]+)\}", lambda found: words.get(found[1], found[0]), part) for part in template.split(", ")]
    return join_words(*(" ".join(word for word in part.split(" ") if word) for part in parts))


def _pick(options: Sequence[str], turn: int) -> str:
    return options[turn % len(options)]


def _turn(options: Sequence[str], by: int) -> list[str]:
    by %= len(options)
    return [*options[by:], *options[:by]]
