"""The settings of the services that serve HTTP."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from common.runtime.settings import WorkerSettings


class HttpSettings(WorkerSettings):
    """Where to listen, beyond what every service needs."""

    http_host: str = Field(default="127.0.0.1", description="address to listen on; 0.0.0.0 for every interface")
    http_port: int = Field(ge=0, le=65535, default=0, description="port to listen on; 0: any free one, logged")
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^?#]+[^/?#])?$",
        description="base of the addresses in answers, without a slash at the end; as the client called where empty",
    )
    auth: str = Field(
        default="on",
        pattern="^(on|off)$",
        description="off: nobody is asked who they are; only for development, and only on a loopback address",
    )
    issuers: Path | None = Field(
        default=None, description="TOML file with the OAuth issuers whose tokens are taken besides our own"
    )
    rate_limit: int = Field(
        default=30_000,
        ge=0,
        description="requests a minute that each caller may send to this process; 0: as many as they like. The default"
        " is about half of what a process can answer, so that one caller leaves room for the others",
    )
