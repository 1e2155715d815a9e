"""Scenes from lyrics and feeling: what the words show, who is seen, how sections look, and that nothing repeats itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from pack.nodes.engine.demo import words as demo_words
from pack.nodes.engine.film.intensity import name_part
from pack.nodes.engine.film.lexicon import LANGUAGES, SLOTS, WORDS, find_images, find_language, speaks_of_someone
from pack.nodes.engine.film.moments import Moment
from pack.nodes.engine.film.prompts import choose_cast, find_emotion
from pack.nodes.engine.film.storyboard import Wishes, write_storyboard
from pack.nodes.engine.timeline import Curve, Line, Shot, Timeline

Song = Callable[..., Timeline]
ALONE = Wishes("ink drawing", "")


def label_of(timeline: Timeline, shot: Shot) -> str:
    middle = (shot.start + shot.end) / 2
    return next(section.label for section in timeline.sections if section.start <= middle < section.end)


def said(line: str, language: str) -> dict[str, str]:
    return {image.slot: image.say[0] for image in reversed(find_images(line, language))}


@pytest.mark.parametrize(
    ("line", "shows"),
    [
        ("Waves of the ocean at midnight", {"place": "on a beach", "time": "at night"}),
        ("夜の海を歩いた", {"place": "on a beach", "time": "at night", "action": "walking"}),
        ("我站在海边看雪", {"place": "on a beach", "weather": "in the snow"}),
        ("雨の街で泣いた", {"place": "in a city", "weather": "in the rain", "face": "with a sad face"}),
        ("傘も持たずに Dance in the 雨", {"weather": "in the rain", "action": "dancing"}),
        ("上海的夜", {"place": "in a city", "time": "at night"}),
        ("坐火车去远方", {"place": "on a road"}),
        ("I don\u2019t cry", {"face": "with a sad face"}),
    ],
)
def test_words_of_three_languages_show_what_they_name(line: str, shows: dict[str, str]) -> None:
    assert said(line, find_language([line])) == shows


@pytest.mark.parametrize(
    "line",
    [
        "season of the witching treaty",
        "言葉にできない明日",
        "我们星期天再说风格",
        "",
        "la la la",
        "沢山の道具",
        "空気を読む",
        "他花了很多时间",
    ],
)
def test_words_that_only_look_alike_show_nothing(line: str) -> None:
    assert find_images(line, find_language([line])) == ()


@pytest.mark.parametrize(
    ("line", "someone"), [("I'll wait", True), ("island in the sun", False), ("君を待つ", True), ("我等你", True), ("雨", False)]
)
def test_lines_about_somebody_are_known(line: str, someone: bool) -> None:
    assert speaks_of_someone(line, find_language([line])) is someone


def test_one_language_for_the_whole_song() -> None:
    assert [find_language(text) for text in (["sea"], ["海"], ["海", "の"], [])] == ["en", "zh", "ja", "en"]


def test_the_word_lists_are_whole() -> None:
    data = json.loads((WORDS / "imagery.json").read_text(encoding="utf-8"))
    for entry in data["images"]:
        assert entry["slot"] in (*SLOTS, "none")
        assert entry["slot"] == "none" or len(entry["say"]) >= 2 and all(phrase.isascii() for phrase in entry["say"])
        for language in LANGUAGES:
            assert entry[language] and len(set(entry[language])) == len(entry[language]), (entry.get("say"), language)
            assert all(word == word.lower() for word in entry["en"])
    for emotion in json.loads((WORDS / "emotions.json").read_text(encoding="utf-8"))["emotions"]:
        assert all(0 <= value <= 1 for value in emotion["at"])
        assert all(emotion[part] for part in ("palettes", "times", "weathers", "places", "faces", "actions", "details", "lights"))


@pytest.mark.parametrize(
    ("feeling", "name"), [((0.9, 0.7), "joyful"), ((0.1, 0.2), "melancholy"), ((0.1, 0.9), "fierce"), ((0.5, 0.0), "calm")]
)
def test_feelings_have_names(feeling: tuple[float, float], name: str) -> None:
    assert find_emotion(*feeling)["name"] == name


def test_each_shot_shows_its_line(full_song: Song) -> None:
    planned = write_storyboard(full_song(), ALONE)
    for shot in planned.shots:
        sung = [line for line in planned.lines if line.start >= shot.start and line.end <= shot.end]
        if sung and "rain is falling on the city" in sung[0].text and len(sung) == 1:
            assert re.search(r"rain|wet", shot.prompt) and re.search(r"city|street|rooftop", shot.prompt), shot.prompt
            break
    else:
        raise AssertionError("no shot holds the line alone")


def test_no_prompt_comes_twice_in_a_song_of_six_minutes(full_song: Song) -> None:
    for song in (full_song(360.0), full_song(360.0, texts=()), replace(full_song(360.0, texts=()), sections=(), curves=())):
        prompts = [shot.prompt for shot in write_storyboard(song, ALONE).shots]
        assert all(first != second for first, second in zip(prompts, prompts[1:], strict=False))
        assert len(set(prompts)) > 0.9 * len(prompts) > 40


PALETTES = {
    palette for emotion in json.loads((WORDS / "emotions.json").read_text(encoding="utf-8"))["emotions"] for palette in emotion["palettes"]
}


@pytest.mark.parametrize("labels", [("intro", "verse", "chorus", "verse", "chorus", "outro"), ("C", "A", "B", "A", "B", "C")])
def test_sections_of_one_label_share_palette_and_seeds(full_song: Song, labels: tuple[str, ...]) -> None:
    planned = write_storyboard(full_song(labels=labels), ALONE)
    palettes: dict[str, set[str]] = {}
    seeds: dict[str, list[list[int]]] = {}
    for before, shot in zip((None, *planned.shots), planned.shots, strict=False):
        label = label_of(planned, shot)
        palettes.setdefault(label, set()).update(part for part in shot.prompt.split(", ") if part in PALETTES)
        if before is None or label_of(planned, before) != label:
            seeds.setdefault(label, []).append([])
        seeds[label][-1].append(shot.seed)
    assert all(len(shared) == 1 for shared in palettes.values()), palettes
    first, second = seeds[labels[2]]
    shorter = min(len(first), len(second))
    assert first[:shorter] == second[:shorter] and len(set(first)) == len(first)
    families = [{seed for run in runs for seed in run} for runs in seeds.values()]
    assert sum(len(family) for family in families) == len(set().union(*families)), "no seed belongs to two labels"


@pytest.mark.parametrize("labels", [("verse", "chorus", "verse", "chorus"), ("A", "B", "A", "B")])
@pytest.mark.parametrize("scenes", ["", "a sea\na city"])
def test_choruses_lift(full_song: Song, labels: tuple[str, ...], scenes: str) -> None:
    planned = write_storyboard(full_song(labels=labels, feeling=False), Wishes("", scenes))
    chorus = [shot for shot in planned.shots if label_of(planned, shot) == labels[1]]
    verse = [shot for shot in planned.shots if label_of(planned, shot) == labels[0]]
    assert all("vivid colours" in shot.prompt for shot in chorus)
    assert sum("vivid colours" in shot.prompt for shot in verse) < len(verse) / 2
    assert min(shot.strength for shot in chorus[1:-1]) > max(shot.strength for shot in verse[1:-1]) + 0.1
    assert {shot.motion for shot in chorus} <= {"pulse", "pull", "sway"} and "push" in {shot.motion for shot in verse}


def test_letters_between_an_intro_and_an_outro_have_a_chorus_too(full_song: Song) -> None:
    song = full_song(labels=("intro", "A", "B", "A", "B", "outro"), feeling=False)
    loud_outro = tuple(replace(part, label="outro") if part.label == "B" else part for part in song.sections)
    assert any("energetic" in shot.prompt for shot in write_storyboard(song, ALONE).shots)
    lifted = {label_of(song, shot) for shot in write_storyboard(song, ALONE).shots if shot.strength > 1.2}
    assert lifted == {"B"}
    assert max(shot.strength for shot in write_storyboard(replace(song, sections=loud_outro), ALONE).shots) <= 1.2


def test_letters_without_a_louder_return_have_no_chorus(full_song: Song) -> None:
    flat = replace(full_song(labels=("A", "C", "A", "C"), feeling=False), curves=())
    assert not any("energetic" in shot.prompt for shot in write_storyboard(flat, ALONE).shots)


def test_a_pre_chorus_is_no_chorus(full_song: Song) -> None:
    song = full_song(labels=("verse", "chorus", "verse", "chorus"), feeling=False)
    renamed = tuple(replace(part, label="pre-chorus") if part.label == "chorus" else part for part in song.sections)
    loudest = max(shot.strength for shot in write_storyboard(replace(song, sections=renamed), ALONE).shots)
    assert loudest < max(shot.strength for shot in write_storyboard(song, ALONE).shots)


def felt(valence: float, arousal: float) -> Timeline:
    song = Timeline(
        60.0, beats=(), curves=tuple(Curve(name, 1.0, (value,) * 60) for name, value in (("valence", valence), ("arousal", arousal)))
    )
    return replace(song, lines=(Line(10, 50, "la la la"),))


def test_feeling_shows_in_palette_face_and_weather() -> None:
    sad = " | ".join(shot.prompt for shot in write_storyboard(felt(0.0, 0.1), ALONE).shots)
    glad = " | ".join(shot.prompt for shot in write_storyboard(felt(1.0, 0.7), ALONE).shots)
    assert "melancholy" in sad and "melancholy" not in glad and "joyful" in glad
    assert re.search("cold colours|blue tones|dark colours", sad) and re.search("warm|golden", glad)
    assert re.search("sad|closed eyes", sad) and re.search("smil|laugh", glad)
    assert re.search("rain|fog|cloud", sad) and not re.search("rain|fog|cloud", glad)


def test_the_saddest_verse_of_a_glad_song_is_not_sad() -> None:
    valence = tuple(0.6 if 20 < second < 40 else 0.75 for second in range(60))
    song = Timeline(60.0, curves=(Curve("valence", 1.0, valence), Curve("arousal", 1.0, (0.4,) * 60)))
    assert not any("melancholy" in shot.prompt for shot in write_storyboard(song, ALONE).shots)


def test_the_sun_does_not_shine_at_night_nor_rain_fall_indoors(full_song: Song) -> None:
    texts = ("the sun at midnight in my room", "sunshine in the night", "rain outside my window", "snow upon the stage")
    for shot in write_storyboard(full_song(texts=texts), ALONE).shots:
        assert not (re.search("at night|moonlight|starry", shot.prompt) and "sunny" in shot.prompt), shot.prompt
        assert not (re.search("room|window|stage", shot.prompt) and re.search("rain|snow", shot.prompt)), shot.prompt


def moment(number: int, chorus: bool = False, someone: bool = False, lines: tuple[str, ...] = ()) -> Moment:
    return Moment(number, number, number + 1, "", number, chorus, 0.5, 0.5, 0.5, False, lines, (), someone)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9, 40])
@pytest.mark.parametrize("kind", ["none", "all", "some"])
def test_the_person_is_in_half_of_the_shots_and_never_in_all_of_many(count: int, kind: str) -> None:
    chorus = {"none": lambda n: False, "all": lambda n: True, "some": lambda n: n % 4 == 3}[kind]
    moments = [moment(number, chorus=chorus(number)) for number in range(count)]
    cast = choose_cast(moments)
    assert len(cast) >= count / 2
    assert len(cast) == count if count <= 3 else len(cast) < count
    if kind == "some":
        assert {number for number in range(count) if chorus(number)} <= cast


def test_the_person_is_where_the_song_speaks_of_somebody(full_song: Song) -> None:
    song = full_song(labels=("verse", "verse", "chorus", "verse"), texts=("the rain is falling", "you and me alone"))
    planned = write_storyboard(song, replace(ALONE, person="zuqvex"))
    seen = ["zuqvex person" in shot.prompt for shot in planned.shots]
    assert len(seen) / 2 <= sum(seen) < len(seen)
    assert all("portrait" in shot.prompt for shot in planned.shots if "zuqvex" in shot.prompt)
    chorus = [shown for shown, shot in zip(seen, planned.shots, strict=True) if label_of(planned, shot) == "chorus"]
    assert sum(chorus) / len(chorus) >= sum(seen) / len(seen)
    assert not any("{" in shot.prompt for shot in planned.shots)


def test_the_users_scenes_rule_and_the_song_only_adds_to_them(full_song: Song) -> None:
    planned = write_storyboard(full_song(), Wishes("ink", "a red bridge\na quiet library"))
    for number, shot in enumerate(planned.shots):
        assert ("a red bridge", "a quiet library")[number % 2] in shot.prompt
        assert not re.search("on a beach|in a city|by the sea|in the rain|at night", shot.prompt), shot.prompt


def test_a_small_thing_of_the_line_joins_the_users_scene_unless_it_is_there() -> None:
    song = Timeline(4.0, lines=(Line(0.5, 3.5, "the birds fly over the ocean"),))
    (shot,) = write_storyboard(song, Wishes("", "a lighthouse")).shots
    assert re.search("a lighthouse, .*(birds|seagulls)", shot.prompt) and "beach" not in shot.prompt
    (shot,) = write_storyboard(song, Wishes("", "birds over a lighthouse")).shots
    assert shot.prompt.count("birds") == 1


def test_most_words_of_the_grammar_are_known_to_the_built_in_model(full_song: Song) -> None:
    tables = [value for name, value in vars(demo_words).items() if name.isupper() or name == "GARMENTS"]
    phrases = [phrase for table in tables for group in (table.values() if isinstance(table, dict) else [table]) for phrase in group]
    known = {word for phrase in phrases for word in re.findall("[a-z]+", phrase.lower())} | {"a", "person"}
    spoken = [word for shot in write_storyboard(full_song(360.0), Wishes("", "")).shots for word in re.findall("[a-z]+", shot.prompt)]
    unknown = [word for word in spoken if word not in known]
    assert len(unknown) < 0.02 * len(spoken), sorted(set(unknown))


def test_the_seed_changes_no_words(full_song: Song) -> None:
    one, other = (write_storyboard(full_song(), replace(ALONE, seed=seed)) for seed in (1, 2))
    assert [shot.prompt for shot in one.shots] == [shot.prompt for shot in other.shots]
    assert not {shot.seed for shot in one.shots} & {shot.seed for shot in other.shots}


def test_numbered_headings_of_one_kind_are_one_part(full_song: Song) -> None:
    song = full_song(labels=("verse", "chorus", "verse", "chorus"))
    numbered = tuple(replace(part, label=f"{part.label.title()} {number}") for number, part in enumerate(song.sections))
    assert write_storyboard(replace(song, sections=numbered), ALONE).shots == write_storyboard(song, ALONE).shots


@pytest.mark.parametrize(
    ("label", "part"), [(" Verse 2", "verse"), ("サビ1", "サビ"), ("B", "b"), ("2", "2"), ("", ""), ("Pre-Chorus", "pre-chorus")]
)
def test_parts_have_names(label: str, part: str) -> None:
    assert name_part(label) == part


def test_a_section_that_follows_its_own_kind_goes_on(full_song: Song) -> None:
    song = full_song(labels=("verse", "verse", "chorus", "chorus"))
    shots = write_storyboard(song, ALONE).shots
    assert len({shot.seed for shot in shots}) == len(shots)
