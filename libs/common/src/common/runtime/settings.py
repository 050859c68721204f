"""The settings every service has. Each is an environment variable beginning with BACKFILL_."""

from __future__ import annotations

import socket
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from os import getpid
from pathlib import Path
from typing import TypeVar

from pydantic import Field, PositiveInt, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.errors import ConfigurationError
from common.ledger.claims import Patience


class WorkerSettings(BaseSettings):
    """What a worker needs to know. Times are ISO 8601 durations ("PT60S") or seconds."""

    model_config = SettingsConfigDict(env_prefix="BACKFILL_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="PostgreSQL DSN of the ledger: postgresql://user:password@host/name")
    broker_url: SecretStr | None = Field(
        default=None,
        description="pgmq://…, amqp://… or sqs://…; the ledger's own database (pgmq) where absent",
    )
    locations: Path = Field(
        default=Path("locations.toml"),
        description="TOML file with the stores and this service's own credentials for them",
    )
    concurrency: PositiveInt = Field(default=2, description="rows worked on at the same time by this process")
    health_port: int = Field(default=0, ge=0, le=65535, description="port of /livez and /readyz; 0: none")
    lease: timedelta = Field(
        default=timedelta(seconds=60), gt=timedelta(0), description="a silent worker is taken for dead after this"
    )
    attempts: PositiveInt = Field(default=5, description="tries of one row in one state before it fails")
    vanished: PositiveInt = Field(
        default=3, description="workers that may vanish (killed, out of memory) with one row before it fails"
    )
    back_off: timedelta = Field(
        default=timedelta(seconds=5), gt=timedelta(0), description="before the second try; doubles"
    )
    hint_again: timedelta = Field(
        default=timedelta(seconds=60), gt=timedelta(0), description="when an unanswered hint is repeated"
    )
    hints: PositiveInt = Field(
        default=4, description="hints of one bag's segments that may wait in a queue at once, so that no bag fills it"
    )
    housekeeping_period: timedelta = Field(
        default=timedelta(seconds=5), gt=timedelta(0), description="how often the reaper looks, in one of all processes"
    )
    stop_within: timedelta = Field(default=timedelta(seconds=25), description="time for the last blocks after SIGTERM")
    log_format: str = Field(default="auto", pattern="^(auto|json|console)$", description="auto: console on a terminal")
    log_level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR"
    )

    @property
    def patience(self) -> Patience:
        return Patience(
            lease=self.lease,
            attempts=self.attempts,
            vanished=self.vanished,
            back_off=self.back_off,
            hint_again=self.hint_again,
            hints=self.hints,
        )

    @property
    def broker(self) -> str:
        return (self.broker_url or self.database_url).get_secret_value()


Settings = TypeVar("Settings", bound=BaseSettings)


def read_settings(model: type[Settings]) -> Settings:
    """Read settings from the environment. Raises ConfigurationError naming every problem at once."""
    try:
        return model()
    except ValidationError as error:
        prefix = str(model.model_config.get("env_prefix", ""))
        lines = [_explain(prefix, problem["loc"], problem["msg"]) for problem in error.errors(include_input=False)]
        raise ConfigurationError("settings are missing or wrong:\n" + "\n".join(lines)) from None


def _explain(prefix: str, place: tuple[int | str, ...], message: str) -> str:
    name = prefix + "_".join(str(part) for part in place).upper()
    return f"  {name}: {message}. Set this environment variable."


def worker_name(service: str) -> str:
    """Who this process is, for claims, evidence and people: service@host:pid."""
    return f"{service}@{process_name()}"


def process_name() -> str:
    """This process among all of the deployment: host:pid."""
    return f"{socket.gethostname()}:{getpid()}"


def build(service: str) -> str:
    """The build of a service that evidence names, such as "verifier 0.1.0"."""
    try:
        return f"{service} {version('backfill-' + service.replace('_', '-'))}"
    except PackageNotFoundError:
        return f"{service} unreleased"
