"""The replica aggregator's settings."""

from __future__ import annotations

from common.runtime.settings import WorkerSettings


class Settings(WorkerSettings):
    """Nothing beyond what every worker needs."""
