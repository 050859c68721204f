"""Which keys a provider can hold, asked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.adapters.objects.azure.names import broken_rule
from common.adapters.objects.azure.names import name_fault as azure
from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.local.places import name_fault as local
from common.adapters.objects.registry import open_store
from common.domain.location import Provider

LEGAL_EVERYWHERE = ["a", "b1/v1/data/x.txt", "a b", "café", "\U0001f600", ".hidden", "a+b%2F#?&=;~", "-"]


def named(provider: Provider) -> Callable[[str], str | None]:
    settings = {"access_key_id": "a", "secret_access_key": "b"} if provider is Provider.AMAZON_S3 else {}
    return open_store(LocationConfig(id="x", provider=provider, bucket="b", **settings)).name_fault


s3 = named(Provider.AMAZON_S3)
memory = named(Provider.MEMORY)


@pytest.mark.parametrize("fault", [s3, azure, local, memory])
@pytest.mark.parametrize("key", LEGAL_EVERYWHERE)
def test_ordinary_keys_have_no_fault(fault: Callable[[str], str | None], key: str) -> None:
    assert fault(key) is None


@pytest.mark.parametrize(
    ("fault", "key", "said"),
    [
        (s3, "", "empty"),
        (s3, "a\0", "NUL"),
        (s3, "é" * 513, "1,024 bytes of UTF-8, this has 1,026"),
        (memory, "", "empty"),
        (memory, "a\0", "NUL"),
        (azure, "", "empty"),
        (azure, "x" * 1025, "1,024 characters"),
        (azure, "/".join("a" * 255), "254 segments"),
        (azure, "a\nb", "control"),
        (azure, "a\0b", "control"),
        (azure, "a\x85b", "control"),
        (azure, "a\\b", "backslash"),
        (azure, "a/", "slash"),
        (azure, "a.", "dot"),
        (azure, "a./b", "dot"),
        (azure, "a/../b", "dot"),
        (local, "", "empty"),
        (local, "a\0", "NUL"),
        (local, "a//b", "empty segment"),
        (local, "/a", "empty segment"),
        (local, "a/", "empty segment"),
        (local, "../a", ". or .."),
        (local, "a/./b", ". or .."),
        (local, "é" * 128, "255 bytes"),
        (local, ".backfill/uploads", "kept for uploads"),
    ],
)
def test_a_fault_is_named(fault: Callable[[str], str | None], key: str, said: str) -> None:
    assert said in (fault(key) or "")


@pytest.mark.parametrize(
    ("fault", "key"),
    [(s3, "é" * 512), (s3, "a//b/"), (azure, "é" * 1024), (azure, "/".join("a" * 254)), (local, "é" * 127)],
)
def test_the_longest_legal_key_has_no_fault(fault: Callable[[str], str | None], key: str) -> None:
    assert fault(key) is None


@given(
    st.text(st.sampled_from("ab/. _-9\\\x1f\x7f\x85\ufffeé"), max_size=12) | st.sampled_from(["a/" * 130, "a" * 1025])
)
def test_a_short_way_to_no_fault_says_what_the_rules_say(key: str) -> None:
    assert azure(key) == broken_rule(key)
