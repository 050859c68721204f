"""Who a request comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fastapi import Request


class Permission(StrEnum):
    """What a caller may be allowed to do; none includes another. The value is the OAuth scope."""

    INGESTS_READ = "ingests:read"
    INGESTS_WRITE = "ingests:write"
    BAGS_READ = "bags:read"
    OPERATE = "operate"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who proved who they are; or everyone, where the deployment does not ask."""

    id: str
    """Stable and unique over all ways to call: "client:bfc_…", "key:bfk_…", "token:<issuer>#<subject>", "everyone".
    This is what goes into the ledger; it is no secret."""
    name: str
    """What people call them, for the log and for pages."""
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


EVERYONE = Caller(id="everyone", name="everyone", permissions=frozenset(Permission))
"""The caller of every request where authentication is off."""


def caller(request: Request) -> Caller:
    """Who calls, on any route that is not open to all. Raises RuntimeError there: nobody was asked who they are."""
    found = getattr(request.state, "caller", None)
    if not isinstance(found, Caller):
        raise RuntimeError(f"{request.method} {request.url.path} is open to all: it has no caller")
    return found
