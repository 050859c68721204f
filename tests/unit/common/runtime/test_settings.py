"""Settings: every problem at once, in the operator's words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.errors import ConfigurationError
from common.ledger.claims import Patience
from common.runtime.settings import WorkerSettings, read_settings


def test_every_wrong_setting_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKFILL_DATABASE_URL", raising=False)
    monkeypatch.setenv("BACKFILL_CONCURRENCY", "0")
    monkeypatch.setenv("BACKFILL_LEASE", "soon")
    monkeypatch.setenv("BACKFILL_LOG_FORMAT", "xml")

    with pytest.raises(ConfigurationError) as refused:
        read_settings(WorkerSettings)

    lines = str(refused.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "BACKFILL_DATABASE_URL",
        "BACKFILL_CONCURRENCY",
        "BACKFILL_LEASE",
        "BACKFILL_LOG_FORMAT",
    ]


def test_a_lease_of_no_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKFILL_DATABASE_URL", "postgresql://ledger")
    for name in ("LEASE", "BACK_OFF", "HINT_AGAIN", "HOUSEKEEPING_PERIOD"):
        monkeypatch.setenv(f"BACKFILL_{name}", "PT0S")

    with pytest.raises(ConfigurationError) as refused:
        read_settings(WorkerSettings)

    assert len(str(refused.value).splitlines()) == 5


def test_times_become_the_ledger_s_patience_and_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKFILL_DATABASE_URL", "postgresql://u:secret@h/d")
    monkeypatch.setenv("BACKFILL_LEASE", "PT90S")
    monkeypatch.setenv("BACKFILL_ATTEMPTS", "7")
    monkeypatch.setenv("BACKFILL_VANISHED", "4")

    settings = read_settings(WorkerSettings)

    assert settings.patience == Patience(lease=timedelta(seconds=90), attempts=7, vanished=4)
    assert settings.broker == "postgresql://u:secret@h/d"
    assert "secret" not in repr(settings)
