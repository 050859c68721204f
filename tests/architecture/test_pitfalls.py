"""The table of pitfalls names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_in_the_table_of_pitfalls_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "pitfalls.md").read_text("utf-8")))
    sources = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    there = {name for text in sources for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}

    assert named - there == set()


def test_the_thirty_pitfalls_are_numbered() -> None:
    rows = re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "pitfalls.md").read_text("utf-8"), re.MULTILINE)

    assert rows == [str(number) for number in range(1, 31)]
