"""By what leave requests go to Azure."""

from __future__ import annotations

from math import inf

import pytest

from common.adapters.objects.azure.direct import Access
from common.adapters.objects.configuration import LocationConfig
from common.domain.location import Provider


def access(**settings: str) -> Access:
    """Of a worker whose identity has its token already."""
    config = LocationConfig(id="d", provider=Provider.AZURE_BLOB, bucket="b", account_name="a", **settings)
    return Access(config, _token="t", _token_until=inf)


@pytest.mark.parametrize("settings", [{}, {"sas_token": ""}])
def test_without_a_signature_the_workers_identity_asks(settings: dict[str, str]) -> None:
    asked = access(**settings)

    assert asked.query() == ""
    assert asked.headers("reading k")["Authorization"] == "Bearer t"


@pytest.mark.parametrize("settings", [{"sas_token": "?sig=1"}, {"account_key": "a2V5"}])
def test_a_signature_asks_alone(settings: dict[str, str]) -> None:
    asked = access(**settings)

    assert "sig=" in asked.query()
    assert not asked.query().startswith("?")
    assert "Authorization" not in asked.headers("reading k")


def test_a_signature_is_made_once_and_anew_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, made = access(account_key="a2V5"), []
    monkeypatch.setattr(Access, "_signed", lambda _, until: made.append(until) or f"sig={len(made)}")

    assert [asked.query(), asked.query()] == ["sig=1", "sig=1"]
    asked._renewed_at = 0.0
    assert asked.query() == "sig=2"
