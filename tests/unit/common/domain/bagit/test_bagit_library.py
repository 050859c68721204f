"""Bags that the Library of Congress's own library makes, and what it says of them, as an oracle."""

from __future__ import annotations

from pathlib import Path

import bagit  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unit.common.domain.bagit.bags import DictSource, Outcome, judged, reject

names = st.text(alphabet="abcXYZ 0123456789._-äßé", min_size=1, max_size=12).filter(lambda name: name.strip(". ") != "")
payloads = st.dictionaries(names, st.binary(max_size=50), min_size=1, max_size=5)
algorithms = st.lists(st.sampled_from(["sha256", "sha512", "sha1", "md5", "sha384"]), min_size=1, unique=True)


def make(root: Path, payload: dict[str, bytes], *, checksums: list[str]) -> None:
    """A bag in `root`, made by the library."""
    root.mkdir()
    for name, body in payload.items():
        (root / name).write_bytes(body)
    bagit.make_bag(str(root), {"External-Identifier": "b1234", "Contact-Name": "Ä\\nB"}, checksums=checksums)


def source(root: Path) -> DictSource:
    return DictSource({p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()})


def refused_by_library(root: Path) -> bool:
    return not bagit.Bag(str(root)).is_valid()


@given(payloads, algorithms)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_library_makes_is_accepted(
    tmp_path_factory: pytest.TempPathFactory, payload: dict[str, bytes], checksums: list[str]
) -> None:
    root = tmp_path_factory.mktemp("made") / "bag"
    make(root, {name.strip(): body for name, body in payload.items()}, checksums=checksums)

    outcome = judged(source(root))

    assert (outcome.errors, refused_by_library(root)) == (frozenset(), False)


DAMAGES = {
    "a corrupt file": ("data/a.txt", b"hellO\n", reject("bag_file_corrupt")),
    "a file that is cut": ("data/a.txt", b"hell", reject("bag_file_corrupt", "bag_oxum_mismatch")),
    "a file too many": ("data/c.txt", b"", reject("bag_file_unlisted", "bag_oxum_mismatch")),
    "a file that is lost": ("data/b.txt", None, reject("bag_file_absent", "bag_oxum_mismatch")),
    "a corrupt tag file": ("bag-info.txt", b"Contact-Name: Eve\n", reject("bag_file_corrupt")),
    "a manifest that is lost": (
        "manifest-sha256.txt",
        None,
        reject("bag_payload_manifest_missing", "bag_file_absent", "bag_file_unlisted"),
    ),
    "a manifest that is emptied": (
        "manifest-sha256.txt",
        b"",
        reject("bag_file_unlisted", "bag_file_corrupt"),
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_that_the_library_finds_is_found(tmp_path: Path, name: str) -> None:
    path, body, expected = DAMAGES[name]
    root = tmp_path / "bag"
    make(root, {"a.txt": b"hello\n", "b.txt": b"b"}, checksums=["sha256"])
    if body is None:
        (root / path).unlink()
    else:
        (root / path).write_bytes(body)

    outcome: Outcome = judged(source(root))

    assert (outcome, _library_objects(root)) == (expected, True)


def _library_objects(root: Path) -> bool:
    try:
        return refused_by_library(root)
    except bagit.BagError:
        return True
