"""The verifier's settings."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from common.runtime.settings import WorkerSettings


class Settings(WorkerSettings):
    """What it needs beyond what every worker needs."""

    files_at_once: PositiveInt = Field(default=16, description="files of one segment read at the same time")
