"""Every ObjectStore keeps a key as it is, or says beforehand that it cannot."""

from __future__ import annotations

import pytest

from common.errors import AlreadyExists, NameNotAllowed
from common.ports import ObjectStore
from contracts.objects.conftest import Place
from contracts.objects.readback import content, keys

ODD_KEYS = (
    "a space",
    " leading and trailing ",
    "plus+sign",
    "100%",
    "%25",
    "%2F",
    "%2e%2e",
    "a%20b",
    "#hash",
    "question?mark",
    "a&b=c;d",
    "~tilde",
    "'single' \"double\"",
    "caf\u00e9 composed",
    "cafe\u0301 decomposed",
    "emoji \U0001f600",
    ".hidden",
    "in/.hidden/file",
    "dots...",
    "star*<>|[]{}^`",
    "@:,!$()",
    "back\\slash",
    "a//b",
    "/leading",
    "trailing/",
    "a/./b",
    "a/../b",
    "tab\tinside",
    "delete\x7finside",
    "no\u00a0break",
    "語/日本",
    "v1/data/" + "x" * 200,
)


@pytest.mark.parametrize("key", ODD_KEYS, ids=[ascii(key)[1:41] for key in ODD_KEYS])
def test_an_odd_key_comes_back_exactly_or_is_refused(place: Place, store: ObjectStore, key: str) -> None:
    if key in place.unfit:
        pytest.skip("the server cannot hold this key")
    if store.name_fault(key) is not None:
        with pytest.raises(NameNotAllowed):
            store.create(key=key, data=b"x")
        with pytest.raises(NameNotAllowed):
            store.begin_upload(key=key)
        assert keys(store) == []
        return

    store.create(key=key, data=b"odd")
    with pytest.raises(AlreadyExists):
        store.create(key=key, data=b"again")

    assert [store.head(key=key).key, *keys(store), *keys(store, prefix=key)] == [key] * 3
    assert (content(store, key), content(store, key, first=1, length=1)) == (b"odd", b"d")


@pytest.mark.parametrize("key", ["plain", "with space + 100%?#", "cafe\u0301/\U0001f600", "a//b"])
def test_an_odd_key_is_uploaded_in_parts_as_it_is(place: Place, store: ObjectStore, key: str) -> None:
    if key in place.unfit or store.name_fault(key):
        pytest.skip("the server or provider cannot hold this key")
    upload = store.begin_upload(key=key)

    upload.commit([upload.put_part(1, b"whole")])

    assert (keys(store), content(store, key)) == ([key], b"whole")
