"""Counting a replica: two sorted streams against set arithmetic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from common.domain.storage_class import Classes
from common.ports import ObjectInfo
from replica_aggregator.tally import MOST_NAMED, Tally, VerifiedObject, tally

text = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab/~\uffff\ue000\U00010000\U0010ffffé"), st.characters(exclude_categories=["Cs"])
    ),
    min_size=1,
    max_size=4,
)
facts = st.tuples(st.integers(0, 2), st.sampled_from(["e1", "e2"]))


def proofs(objects: dict[str, tuple[int, str]]) -> list[VerifiedObject]:
    return [VerifiedObject(key, *objects[key]) for key in sorted(objects, key=str.encode)]


def listing(objects: dict[str, tuple[int, str]]) -> list[ObjectInfo]:
    return [ObjectInfo(key, *objects[key]) for key in sorted(objects, key=str.encode)]


@given(st.dictionaries(text, facts), st.dictionaries(text, facts))
def test_a_tally_is_set_arithmetic(verified: dict[str, tuple[int, str]], listed: dict[str, tuple[int, str]]) -> None:
    both = verified.keys() & listed.keys()

    found = tally(proofs(verified), listing(listed))

    assert (found.missing, found.extra) == (len(verified.keys() - listed.keys()), len(listed.keys() - verified.keys()))
    assert found.agreed == len([key for key in both if verified[key] == listed[key]])
    assert found.changed == len([key for key in both if verified[key] != listed[key]])
    assert found.whole == (verified == listed)
    assert set(found.named.get("missing", [])) <= verified.keys() - listed.keys()
    assert set(found.named.get("extra", [])) <= listed.keys() - verified.keys()


def test_keys_are_compared_in_utf8_byte_order_which_is_not_utf16_order() -> None:
    # In UTF-16 the astral one comes first (its surrogates are below U+FFFF), in UTF-8 the other.
    objects = {"a\uffff": (1, "e"), "a\U00010000": (1, "e")}

    assert tally(proofs(objects), listing(objects)) == Tally(agreed=2, classes=Classes({"": [2, 2]}))


def test_an_unknown_etag_leaves_the_size_to_decide() -> None:
    assert tally([VerifiedObject("k", 1, None)], [ObjectInfo("k", 1, "e")]) == Tally(
        agreed=1, classes=Classes({"": [1, 1]})
    )
    assert tally([VerifiedObject("k", 1, None)], [ObjectInfo("k", 2, "e")]).changed == 1


def test_a_fault_counts_all_keys_and_names_the_first() -> None:
    found = tally(
        proofs({"gone": (1, "e"), "same": (1, "e"), "written": (1, "e")}),
        listing({f"x{n:02}": (1, "e") for n in range(MOST_NAMED + 1)} | {"same": (1, "e"), "written": (1, "f")}),
    )

    names = ", ".join(f"x{n:02}" for n in range(MOST_NAMED))
    assert found.fault() == f"1 missing: gone; 21 extra: {names}, …; 1 changed: written"
    assert Tally().fault() == ""
