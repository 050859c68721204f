"""The bag register's settings."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import Field, PositiveInt

from common.ports import Tier
from common.web.settings import HttpSettings


class Metrics(StrEnum):
    """Who may read GET /metrics."""

    SCOPE = "scope"
    OPEN = "open"
    OFF = "off"


class Settings(HttpSettings):
    """What it needs beyond what every service needs."""

    http_port: int = Field(default=9002, ge=0, le=65535, description="port to listen on; 0: any free one, logged")
    records: str = Field(
        default="records",
        min_length=1,
        description="where bags' file lists are kept: a location's id, or a directory (made where it is not there)",
    )
    redirect_above: int = Field(
        default=100_000,
        ge=0,
        description="bag versions with more files than this are answered with a redirect to a copy in the record store"
        " where `?redirect=true` asks for it and the store (S3, or Azure by account key) can sign URLs",
    )
    evidence_checkpoints: str = Field(
        default="checkpoints",
        min_length=1,
        description="where checkpoints of the evidence are written, best in another account: a location's id, or a"
        " directory",
    )
    evidence_key: Path | None = Field(
        default=None, description="Ed25519 private key (PEM) that signs checkpoints; unsigned where absent"
    )
    digests: str = Field(
        default="digests",
        min_length=1,
        description="where the daily digest is written, as Markdown and as HTML: a location's id, or a directory",
    )
    digest_hour: int = Field(default=6, ge=0, le=23, description="hour (UTC) at which a digest's day ends")
    digest_webhook: str | None = Field(
        default=None,
        pattern=r"^https?://.+$",
        description="address that each digest is POSTed to as JSON (`text` holds the Markdown); none where absent",
    )
    metrics: Metrics = Field(
        default=Metrics.SCOPE,
        description="who may read GET /metrics: scope (whoever may read reports, bags:read), open (whoever reaches the"
        " port: the figures name locations and spaces, and how much lies there), off (there is none)",
    )
    prices: Path | None = Field(
        default=None, description="price book (TOML) that estimates go by; the shipped one if absent"
    )
    thaw_tier: Tier = Field(default=Tier.BULK, description="the bag warmers' tier, for estimates")
    thaw_days: PositiveInt = Field(default=3, description="the bag warmers' days of restored copies, for estimates")
    checkpoint_every: timedelta = Field(
        default=timedelta(hours=1), gt=timedelta(0), description="how often a checkpoint is written"
    )
