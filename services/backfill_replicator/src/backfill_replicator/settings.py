"""The backfill replicator's settings."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, PositiveInt

from common.runtime.settings import WorkerSettings


class Settings(WorkerSettings):
    """What it needs beyond what every worker needs."""

    files_at_once: PositiveInt = Field(default=16, description="files of one segment copied at the same time")
    abort_uploads_after: timedelta = Field(
        default=timedelta(days=7),
        gt=timedelta(0),
        description="age of an upload to abort, whose segment ended",
    )
    look_for_uploads_every: timedelta = Field(
        default=timedelta(days=1), gt=timedelta(0), description="how often one replicator lists unfinished uploads"
    )
