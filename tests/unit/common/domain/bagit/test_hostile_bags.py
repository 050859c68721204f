"""What other readers get wrong, one tiny bag each."""

from __future__ import annotations

import pytest

from common.domain.bagit.policy import Policy
from common.domain.problem import Severity
from unit.common.domain.bagit.bags import (
    ACCEPT,
    HELLO,
    DictSource,
    bag,
    entry,
    judged,
    reject,
    warn,
)
from unit.common.domain.bagit.hostile_manifests import MANIFEST_CASES
from unit.common.domain.bagit.hostile_tag_files import FETCH_CASES, TAG_FILE_CASES

CASES = {**MANIFEST_CASES, **TAG_FILE_CASES}
FETCH = Policy(allow_fetch=True)


def test_no_two_cases_have_the_same_name() -> None:
    assert len(CASES) == len(MANIFEST_CASES) + len(TAG_FILE_CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_bag_gets_exactly_its_problems(name: str) -> None:
    files, expected = CASES[name]

    assert judged(DictSource(files)) == expected


@pytest.mark.parametrize("name", FETCH_CASES)
def test_where_fetch_is_allowed_its_lines_are_still_held_to_the_rules(name: str) -> None:
    files, expected = FETCH_CASES[name]

    assert judged(DictSource(files), policy=FETCH) == expected


def test_a_policy_turns_weak_checksums_into_a_refusal() -> None:
    policy = Policy(weak_checksums=Severity.ERROR)

    assert judged(DictSource(bag(algorithm="sha1")), policy=policy) == reject("bag_weak_checksums")


def test_a_policy_lets_unreferenced_tag_files_pass_with_a_warning() -> None:
    policy = Policy(unreferenced_tag_files=Severity.WARNING)

    assert judged(DictSource({**bag(), "debug": b""}), policy=policy) == warn("bag_file_unreferenced")


@pytest.mark.parametrize("name", ["../x", "a//b", "~/x", "C:x", "a\\b", "a\nb", "/x"])
def test_a_tag_file_that_nothing_lists_must_have_a_safe_name_all_the_same(name: str) -> None:
    policy = Policy(unreferenced_tag_files=Severity.WARNING)

    outcome = judged(DictSource({**bag(), name: b""}), policy=policy)

    assert outcome == reject("bag_path_unsafe", warnings=("bag_file_unreferenced",))


def test_a_policy_lets_names_pass_that_only_windows_minds() -> None:
    files = bag({"data/a\\b": HELLO, "data/%25HOME%25": b"1", "data/%HOME%": b"2"}, manifest=(
        entry("data/a\\b") + entry("data/%25HOME%25", b"2") + entry("data/%2525HOME%2525", b"1")
    ))  # fmt: skip

    assert judged(DictSource(files), policy=Policy(refuse_windows_names=False)) == ACCEPT


def test_more_entries_than_the_policy_allows_are_refused() -> None:
    files = bag({f"data/{n}": b"" for n in range(4)})

    assert judged(DictSource(files), policy=Policy(max_entries=3)) == reject(
        "bag_too_many_entries", "bag_file_unlisted"
    )


def test_a_manifest_larger_than_the_policy_allows_is_refused() -> None:
    outcome = judged(DictSource(bag()), policy=Policy(max_manifest_bytes=85))

    assert "bag_file_too_large" in outcome.errors
