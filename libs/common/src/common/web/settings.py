"""The settings of the services that serve HTTP."""

from __future__ import annotations

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
