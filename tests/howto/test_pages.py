"""Each how-to can be followed with the command line, with curl and in Python; what cannot, says so to its reader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from howto.blocks import HOW_TOS, Way, blocks

_HERE = Path(__file__).parent
NOT_RUN: dict[str, list[str]] = json.loads((_HERE / "not_run.json").read_text("utf-8"))
"""By page, why blocks are not run. Each reason stands in its block too."""
OTHER_WAYS: dict[str, str] = json.loads((_HERE / "other_ways.json").read_text("utf-8"))
"""Pages without all three ways, and the sentence that tells the reader why."""
INDEX = HOW_TOS / "README.md"
PAGES = sorted(page for page in HOW_TOS.glob("*.md") if page != INDEX)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_every_way_and_the_tests_go_it_or_it_says_why_not(page: Path) -> None:
    gone = {way for block in blocks(page) if block.excuse is None for way in block.ways}

    if page.name in OTHER_WAYS:
        assert OTHER_WAYS[page.name] in " ".join(page.read_text("utf-8").split())
        assert gone != set(Way), "the page has become whole: take it off the list"
    else:
        assert gone == set(Way)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in OTHER_WAYS], ids=lambda page: page.stem)
def test_a_block_shows_one_way_below_its_name(page: Path) -> None:
    shown = [(block.line, block.ways, block.label) for block in blocks(page) if block.ways]

    assert shown == [(line, {Way(label)} if label in set(Way) else label, label) for line, _, label in shown]


def test_what_is_not_run_is_known_and_says_why() -> None:
    found = {page.name: [block.excuse for block in blocks(page) if block.excuse] for page in PAGES}

    assert {name: excuses for name, excuses in found.items() if excuses} == NOT_RUN


def test_the_index_has_every_page() -> None:
    index = INDEX.read_text("utf-8")

    assert [page.name for page in PAGES if f"({page.name})" not in index] == []
