"""The table of pitfalls and the tests that carry their numbers belong together."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "pitfalls.md").read_text("utf-8")
ROWS = {int(number): held for number, held in re.findall(r"^\| (\d+) \| [^|]+ \| (.+) \|$", PAGE, re.MULTILINE)}


def names() -> set[str]:
    """The names of all tests."""
    sources = (path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for text in sources for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}


def test_every_test_in_the_table_of_pitfalls_exists() -> None:
    assert set(re.findall(r"`(test_\w+)`", PAGE)) - names() == set()


def test_the_thirty_pitfalls_are_there_and_each_names_a_test_of_its_number_or_the_stage_that_it_concerns() -> None:
    bare = [
        number
        for number, held in ROWS.items()
        if f"`test_pitfall_{number:02}_" not in held and not re.match(r"Not thawing, \w+.*: .*`test_", held)
    ]

    assert (sorted(ROWS), bare) == (list(range(1, 31)), [])


def test_a_test_that_carries_a_number_is_in_the_row_of_that_number() -> None:
    numbered = {name for name in names() if re.match(r"test_pitfall_\d\d_", name)}
    lost = {name for name in numbered if f"`{name}`" not in ROWS[int(name[13:15])]}

    assert lost == set()
