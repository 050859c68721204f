"""The bag register's settings."""

from __future__ import annotations

from pydantic import Field

from common.web.settings import HttpSettings


class Settings(HttpSettings):
    """What it needs beyond what every service needs."""

    http_port: int = Field(default=9002, ge=0, le=65535, description="port to listen on; 0: any free one, logged")
    records: str = Field(
        default="records",
        min_length=1,
        description="where bags' file lists are kept: a location's id, or a directory (made where it is not there)",
    )
