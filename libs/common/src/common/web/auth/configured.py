"""The guard that a service's settings ask for."""

from __future__ import annotations

from ipaddress import ip_address

import structlog
from sqlalchemy import Engine

from common.errors import ConfigurationError
from common.web.auth.directory import Directory
from common.web.auth.guard import Guard, everyone
from common.web.auth.identifying import Identifier
from common.web.auth.issuers import read_issuers
from common.web.auth.keys import CachedKeys, kept_in
from common.web.auth.limits import Limits
from common.web.auth.signing import AUDIENCE, ISSUER
from common.web.auth.tokens import Trusted
from common.web.settings import HttpSettings

log = structlog.get_logger()


def guard_for(settings: HttpSettings, engine: Engine) -> Guard:
    """Raises ConfigurationError."""
    limits = Limits(settings.rate_limit) if settings.rate_limit else None
    if settings.auth == "off":
        _check_nobody_else_can_call(settings.http_host)
        log.warning("AUTHENTICATION IS OFF: whoever reaches this port may do everything", setting="BACKFILL_AUTH=off")
        return everyone(limits=limits)
    others = read_issuers(settings.issuers) if settings.issuers else []
    return asking(Identifier(Directory(engine), [own_issuer(engine), *others]), limits=limits)


def asking(identifier: Identifier, *, limits: Limits | None = None) -> Guard:
    """A guard that lets the identifier say who calls."""
    return Guard(identifier, at_once=identifier.at_once, limits=limits)


def own_issuer(engine: Engine) -> Trusted:
    """The built-in issuer: its keys are in the ledger, and looking there again costs little."""
    return Trusted(issuer=ISSUER, keys=CachedKeys(kept_in(engine), again=1), audience=AUDIENCE)


def _check_nobody_else_can_call(host: str) -> None:
    try:
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ConfigurationError(
            f"BACKFILL_AUTH=off is for development on one machine, and BACKFILL_HTTP_HOST is {host!r}. "
            "Listen on 127.0.0.1, or leave BACKFILL_AUTH on and make a client (docs/how-to/authenticate.md)."
        )
