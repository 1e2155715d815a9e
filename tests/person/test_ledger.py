"""The ledger keeps what happened, and says where it was changed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from pack.nodes.engine.person.ledger import START, Break, Ledger

ROOT = Path(__file__).resolve().parents[2]
SOMEBODY = "0123456789abcdef" * 2


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "store" / "ledger.jsonl")


def fill(ledger: Ledger, lines: int = 5) -> None:
    for number in range(lines):
        ledger.append("picture_written", SOMEBODY, number=number, sha256="ab" * 32)


def test_lines_are_kept_in_order_and_chained(ledger: Ledger) -> None:
    assert ledger.head() == START and ledger.verify() is None and ledger.read() == ()
    fill(ledger, 3)
    entries = ledger.read()
    assert [entry.number for entry in entries] == [1, 2, 3] and [entry.facts["number"] for entry in entries] == [0, 1, 2]
    lines = [json.loads(line) for line in ledger.path.read_text().splitlines()]
    assert [line["previous"] for line in lines] == [START, lines[0]["hash"], lines[1]["hash"]]
    assert ledger.head() == lines[-1]["hash"] and ledger.verify() is None


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        ("attempt", {"name": "x"}),
        ("party", {}),
        ("attempt", {"reason": "Aiko Example"}),
        ("attempt", {"reason": "../people/0.png"}),
        ("attempt", {"reason": "\u611b\u5b50"}),
        ("lora_written", {"sha256": "a" * 101}),
        ("attempt", {"passed": 0.5}),
    ],
)
def test_only_numbers_and_codes_get_in(ledger: Ledger, event: str, facts: dict[str, str | int]) -> None:
    with pytest.raises(ValueError, match="ledger"):
        ledger.append(event, SOMEBODY, **facts)
    assert not ledger.path.exists()


def test_every_changed_bit_is_found(ledger: Ledger) -> None:
    fill(ledger, 4)
    whole = ledger.path.read_bytes()
    ends = [place for place, byte in enumerate(whole) if byte == ord("\n")]
    source = random.Random(0)
    places = [(place, bit) for place in ends for bit in range(8)]  # every bit of every line end
    places += [(source.randrange(len(whole)), source.randrange(8)) for _ in range(500)]
    for place, bit in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << bit
        ledger.path.write_bytes(changed)
        broken = ledger.verify()
        assert broken and broken.line == 1 + sum(end < place for end in ends), (place, bit)
    ledger.path.write_bytes(whole)
    assert ledger.verify() is None


def test_lines_that_are_taken_out_swapped_or_forged_are_found(ledger: Ledger) -> None:
    fill(ledger, 4)
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    for missing in range(4):
        ledger.path.write_bytes(b"".join(lines[:missing] + lines[missing + 1 :]))
        broken = ledger.verify()
        assert broken == Break(missing + 1, "missing" if missing == 3 else "changed")
    ledger.path.write_bytes(b"".join([lines[0], lines[2], lines[1], lines[3]]))
    assert ledger.verify() == Break(2, "changed")
    spaced = json.dumps(json.loads(lines[1])).encode() + b"\n"
    ledger.path.write_bytes(b"".join([lines[0], spaced, *lines[2:]]))
    assert ledger.verify() == Break(2, "changed"), "the same in another spelling"
    ledger.path.write_bytes(b"")
    assert ledger.verify() == Break(1, "missing")
    ledger.path.unlink()
    assert ledger.verify() == Break(1, "missing")


def test_a_gap_at_the_end_stays_visible_after_more_lines(ledger: Ledger) -> None:
    fill(ledger, 4)
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join(lines[:2]))
    ledger.append("withdrawn", SOMEBODY)
    assert ledger.verify() == Break(3, "changed") and ledger.read()[2].number == 5


def test_a_broken_line_stops_nobody_from_withdrawing(ledger: Ledger) -> None:
    fill(ledger, 3)
    damaged = bytearray(ledger.path.read_bytes())
    damaged[-20] ^= 4
    ledger.path.write_bytes(damaged)
    ledger.append("withdrawn", SOMEBODY)
    ledger.append("cancelled", SOMEBODY)
    entries = ledger.read()
    assert [entry.sound for entry in entries] == [True, True, False, True, True] and entries[3].event == "withdrawn"
    assert ledger.verify() == Break(3, "changed")


def test_a_write_cut_off_anywhere_loses_no_whole_line(ledger: Ledger) -> None:
    fill(ledger, 2)
    before, seal = ledger.path.read_bytes(), ledger.seal_path.read_bytes()
    ledger.append("withdrawn", SOMEBODY)
    whole = ledger.path.read_bytes()
    for end in {*range(len(before), len(whole) - 3, 7), *range(len(whole) - 3, len(whole) + 1)}:
        ledger.path.write_bytes(whole[:end])
        ledger.seal_path.write_bytes(seal)
        ledger.append("cancelled", SOMEBODY)
        events = [entry.event for entry in ledger.read()][2:]
        kept = ["withdrawn"] if end >= len(whole) - 1 else []
        assert events == [*kept, *(["repaired"] if len(before) < end < len(whole) - 1 else []), "cancelled"], end
        assert ledger.verify() is None


def test_zeros_that_a_disk_left_are_mended(ledger: Ledger) -> None:
    fill(ledger, 2)
    ledger.path.write_bytes(ledger.path.read_bytes() + b"\0" * 512)
    assert ledger.verify() == Break(3, "torn")
    ledger.append("withdrawn", SOMEBODY)
    assert ledger.verify() is None and len(ledger.read()) == 4


WRITER = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
import conftest
from pathlib import Path
from pack.nodes.engine.person.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    ledger.append("picture_written", sys.argv[3] * 32, number=number, sha256="0" * 64)
    if number == 3 and len(sys.argv) > 4:
        import os
        ledger._append_bytes(b'{{"event":"withdr')
        os._exit(1)
"""


def test_two_processes_write_one_ledger(ledger: Ledger) -> None:
    """A third one dies in the middle of a line."""
    make = [sys.executable, "-c", WRITER, str(ledger.path)]
    writers = [subprocess.Popen([*make, "40", letter]) for letter in "ab"] + [subprocess.Popen([*make, "40", "c", "die"])]
    assert [writer.wait() for writer in writers] == [0, 0, 1]
    ledger.append("cancelled", SOMEBODY)
    entries = ledger.read()
    assert ledger.verify() is None
    for letter, lines in (("a", 40), ("b", 40), ("c", 4)):
        numbers = [entry.facts["number"] for entry in entries if entry.receipt_id == letter * 32]
        assert numbers == list(range(lines)), letter
    assert [entry.event for entry in entries].count("repaired") == 1
