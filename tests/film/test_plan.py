"""Plans as spreadsheets: what Excel, LibreOffice and people make of them, and what cannot be a plan."""

from __future__ import annotations

import csv
import io

import pytest
from pack.nodes.engine.film.plan import apply_plan, read_plan, write_csv
from pack.nodes.engine.timeline import Shot, Timeline, TimelineError

SONG = Timeline(8.5)
PLAN = (
    'shot,start,end,prompt,seed,motion,end_prompt,strength\n1,0,4.25,a sea,1,sway,,0.9\n2,4.25,8.5,"a city, at night",2,pulse,a forest,1\n'
)
SHOTS = (Shot(0.0, 4.25, "a sea", 1, "sway", "", 0.9), Shot(4.25, 8.5, "a city, at night", 2, "pulse", "a forest", 1.0))


def test_csv_is_a_plan() -> None:
    assert write_csv(apply_plan(SONG, PLAN)).splitlines()[1:] == [
        '1,0.0,4.25,"a sea",1,"sway","",0.9',
        '2,4.25,8.5,"a city, at night",2,"pulse","a forest",1.0',
    ]
    assert apply_plan(SONG, PLAN).shots == SHOTS


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + PLAN,
        "\n\n" + PLAN.replace("\n", "\r\n"),
        PLAN.replace(",", ";").replace("city;", "city,").replace("4.25", "4,25").replace("8.5", "8,5").replace("0.9", "0,9"),
        PLAN.replace(",", "\t").replace("city\t", "city,"),
        PLAN.replace("shot,start", "Shot, Start "),
        PLAN + ",,,,,,,\n\n",
        'prompt,seed,end,start,motion,strength,end_prompt\na sea,1,4.25,0,sway,.9,\n"a city, at night",2,8.50,4.25,,,a forest\n',
    ],
    ids=["mark", "windows", "german", "tabs", "capitals", "empty rows", "another order"],
)
def test_what_spreadsheets_do_to_it_does_no_harm(text: str) -> None:
    assert apply_plan(SONG, text).shots == SHOTS


def test_a_prompt_is_no_formula_in_a_spreadsheet() -> None:
    prompts = ["=HYPERLINK(1)", "+1", "-x", "@sum", "'=x", "'quoted' words", "line\nbreak", "carriage\rreturn", "\r", 'say "hi"', "\tx"]
    song = Timeline(float(len(prompts)), shots=tuple(Shot(n, n + 1.0, prompt, n) for n, prompt in enumerate(prompts)))
    cells = [row[3] for row in csv.reader(io.StringIO(write_csv(song)))][1:]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert [shot.prompt for shot in apply_plan(song, write_csv(song)).shots] == prompts


def test_the_person_stands_in_a_csv_too() -> None:
    assert apply_plan(SONG, PLAN.replace("a sea", "{person} at sea"), "zuqvex").shots[0].prompt == "zuqvex person at sea"


HEAD = "start,end,prompt,seed\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD, "no shot below"),
        (HEAD + "0,8.5,a", "Row 2 .* has no seed"),
        (HEAD + "0,4,a,1\n4,8.5,,x", "Row 3 .* 'x' as its seed; write a whole number"),
        (HEAD + "0,4,a,1\n,8.5,b,2", "Row 3 .* has no start"),
        (HEAD + "0,4,a,1\n4,8.5,b, c,2", "Row 3 .* more cells"),
        (HEAD + "0,nan,a,1", "Row 2 .* 'nan' as its end"),
        (HEAD + "0,1e999,a,1", "Row 2 .* as its end"),
        (HEAD + "0,inf,a,1", "Row 2 .* 'inf'"),
        (HEAD + "0,٣,a,1", "Row 2 .* as its end"),
        (HEAD + "0,8.5,a,1.23E+14", "Row 2 .* whole number"),
        (HEAD + "0,8.5,a," + "9" * 5000, "Row 2 .* whole number"),
        (HEAD + "0,8.5,a,9223372036854775808", "seed 9223372036854775808; choose"),
        (HEAD + '0,8.5,"a,1', "Row 2 .* damaged"),
        (HEAD + '0,4,a,1\n4,8.5,"b"c,2', "Row 3 .* damaged"),
        (HEAD + "0,8.5," + "a" * 20_000 + ",1", "Row 2 .* 20000 letters"),
        (HEAD + "0,8.5," + "a" * 200_000 + ",1", "Row 2 .* damaged"),
        (HEAD + "0,4,a,1\n5,8.5,b,2", "Shot 2 leaves a gap"),
        ("start,end,prompt\n0,8.5,a", "lacks the column 'seed'"),
        ("start,end,prompt,seed,colour\n0,8.5,a,1,red", "unknown column 'colour'"),
        ("start,end,prompt,seed,end\n0,8.5,a,1,2", "'end' twice"),
        ("start,end,prompt,seed,motion\n0,8.5,a,1,spin", "motion 'spin'"),
        ("start,end,prompt,seed,strength\n0,8.5,a,1,9", "strength 9"),
        ("a sea\na city", "no JSON"),
    ],
)
def test_a_broken_csv_is_one_sentence_that_names_the_row(text: str, says: str) -> None:
    with pytest.raises(TimelineError, match=says) as error:
        apply_plan(SONG, text)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_a_zero_byte_in_a_csv_is_one_sentence() -> None:
    with pytest.raises(TimelineError, match="Row 2"):
        read_plan(HEAD + "0,8.5,a\0b,1")
