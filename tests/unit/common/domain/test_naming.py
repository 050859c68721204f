"""Mapped names: reversible, one to one, and always such that Azure can hold them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from common.adapters.objects.azure.names import name_fault
from common.domain.naming import ESCAPE, Names, decode, encode

HOSTILE = st.text(alphabet="a.^/\\\n\x00\x7f\x85\ufffe\uffff2E5é💾 %", min_size=1, max_size=12)
PATHS = HOSTILE | st.text(min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("v1/data/a.tif", "v1/data/a.tif"),
        ("v1/data/100% é.tif", "v1/data/100% é.tif"),
        ("v1/data/notes.", "v1/data/notes^2E"),
        ("v1/data/dir./a..", "v1/data/dir^2E/a.^2E"),
        ("v1/data/a\\b", "v1/data/a^5Cb"),
        ("v1/data/a^2E", "v1/data/a^5E2E"),
        ("v1/data/\x85\n", "v1/data/^C2^85^0A"),
        ("v1/data/a./", "v1/data/a^2E^2F"),
        ("..", ".^2E"),
        ("\ufffe", "^EF^BF^BE"),
    ],
)
def test_a_name_by_table(path: str, name: str) -> None:
    assert encode(path) == name
    assert decode(name) == path


@given(PATHS)
def test_what_was_mapped_is_read_back(path: str) -> None:
    assert decode(encode(path)) == path


@given(PATHS, PATHS)
def test_no_two_names_become_one(one: str, other: str) -> None:
    assert (encode(one) == encode(other)) == (one == other)


@given(PATHS)
def test_a_mapped_name_can_be_held(path: str) -> None:
    assert name_fault(encode(path)) is None


@given(PATHS)
def test_a_name_that_can_be_held_and_has_no_escape_stays_as_it_is(path: str) -> None:
    assume(name_fault(path) is None and ESCAPE not in path)

    assert encode(path) == path


@given(HOSTILE)
def test_whatever_can_be_read_back_is_written_the_same_again(name: str) -> None:
    with suppress(ValueError):
        assert encode(decode(name)) == name


@pytest.mark.parametrize("name", ["a^", "a^2", "a^2e", "a^41", "a^2Eb", "^85", "a.", "a\\b", "^^5E"])
def test_a_name_that_no_mapping_makes_is_not_read(name: str) -> None:
    with pytest.raises(ValueError, match="is no mapped name"):
        decode(name)


def test_only_the_policy_that_says_so_maps() -> None:
    assert [policy.stored("a.") for policy in (Names.REFUSE, Names.MAP)] == ["a.", "a^2E"]
