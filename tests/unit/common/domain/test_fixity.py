"""Checksums."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.fixity import BY_STRENGTH, Algorithm, Checksum, MultiHasher, hashing, mismatches
from multibuffer import LARGE, why_not
from multibuffer.hashing import counts


@given(st.lists(st.binary(max_size=50)))
def test_one_pass_gives_every_digest_whatever_the_blocks(blocks: list[bytes]) -> None:
    hasher, data = MultiHasher([Algorithm.MD5, Algorithm.SHA512, Algorithm.BLAKE2B_256]), b"".join(blocks)

    for block in blocks:
        hasher.update(memoryview(block))

    assert (hasher.size, hasher.digests()) == (
        len(data),
        {
            Algorithm.MD5: hashlib.md5(data).hexdigest(),
            Algorithm.SHA512: hashlib.sha512(data).hexdigest(),
            Algorithm.BLAKE2B_256: hashlib.blake2b(data, digest_size=32).hexdigest(),
        },
    )


@pytest.mark.parametrize("length", [LARGE - 1, LARGE, 2 * LARGE + 5])
def test_large_blocks_are_hashed_beside_others_and_give_the_same_digests(length: int) -> None:
    hasher, data = MultiHasher([Algorithm.SHA256, Algorithm.SHA1]), bytes(range(251)) * (length // 251 + 1)
    blocks = [data[:length], data[:3], data[: length // 2]]

    for block in blocks:
        hasher.update(memoryview(bytearray(block)))

    whole = b"".join(blocks)
    assert hasher.digests() == {
        Algorithm.SHA256: hashlib.sha256(whole).hexdigest(),
        Algorithm.SHA1: hashlib.sha1(whole).hexdigest(),
    }


@pytest.mark.skipif(bool(why_not()), reason=f"streams are hashed one by one here: {why_not()}")
def test_only_what_begins_with_a_large_block_is_hashed_beside_others() -> None:
    before = counts()
    for first, whole in ((LARGE - 64, 2 * LARGE), (LARGE, 2 * LARGE)):
        hasher = MultiHasher([Algorithm.SHA256])
        hasher.update(bytes(first))
        hasher.update(bytes(whole - first))

    assert sum(counts()) - sum(before) == 2 * LARGE // 64


def test_a_process_can_say_how_it_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.domain.fixity.why_not", lambda: "")
    assert hashing() == "two streams at a time"

    monkeypatch.setattr("common.domain.fixity.why_not", lambda: "there is no compiler")
    assert hashing() == "one stream at a time: there is no compiler"


def test_a_digest_that_differs_or_is_lacking_is_a_mismatch_and_case_is_not() -> None:
    expected = {Algorithm.MD5: "ab", Algorithm.SHA1: "cd", Algorithm.SHA256: "EF"}

    assert mismatches(expected=expected, measured={Algorithm.MD5: "xx", Algorithm.SHA256: "ef"}) == [
        Algorithm.MD5,
        Algorithm.SHA1,
    ]
    assert mismatches(expected={Algorithm.MD5: "ab"}, measured={Algorithm.MD5: "ab", Algorithm.SHA1: "?"}) == []


@pytest.mark.parametrize("value", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, " " + "0" * 63])
def test_a_checksum_has_its_algorithm_s_number_of_lower_case_hex_digits(value: str) -> None:
    with pytest.raises(ValueError, match="SHA-256 checksum has 64 lower-case hex digits"):
        Checksum(Algorithm.SHA256, value)


def test_every_algorithm_has_a_place_by_strength_and_the_broken_ones_come_last() -> None:
    assert sorted(BY_STRENGTH) == sorted(Algorithm)
    assert [algorithm for algorithm in Algorithm if algorithm.weak] == [Algorithm.MD5, Algorithm.SHA1]
    assert BY_STRENGTH[-2:] == (Algorithm.SHA1, Algorithm.MD5)
