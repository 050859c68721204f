"""Each application over a real ledger with something in it, and who may ask it what."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import Engine

from common.domain.bag import BagVersion
from common.web.auth import Guard, Permission
from common.web.auth.configured import asking, own_issuer
from common.web.auth.directory import Directory
from common.web.auth.identifying import Identifier
from ingests_api.streaming.streams import Rhythm
from unit.bag_register.builders import Register
from unit.bag_register.builders import a_bag as bag_files
from unit.common.web.issuing import token, trusted
from unit.ingests_api.builders import a_bag, an_app, fail, serving, wish

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


BRIEF = Rhythm(heartbeat=0.05, life=0)
"""Streams that end as soon as they have nothing to say."""


def a_guard(engine: Engine) -> Guard:
    """As both services have it: callers prove who they are, here with tokens of the organisation's own issuer too."""
    return asking(Identifier(Directory(engine), [own_issuer(engine), *trusted().values()]))


def authorization(permissions: Iterable[Permission] = tuple(Permission)) -> dict[str, str]:
    """Of a caller who has these permissions; no client of the deployment, as requests may revoke these."""
    now = int(time.time())
    given = token(scope=" ".join(permissions), iat=now - 10, nbf=now - 10, exp=now + 3600)
    return {"Authorization": f"Bearer {given}"}


@contextmanager
def an_ingests_api(engine: Engine) -> Iterator[httpx.Client]:
    """Who calls with this client may do everything."""
    with serving(an_app(engine, rhythm=BRIEF, guard=a_guard(engine))) as client:
        client.headers.update(authorization())
        fill(engine, client)
        yield client


@contextmanager
def a_bag_register(engine: Engine) -> Iterator[httpx.Client]:
    """The same of the other service; one bag is registered."""
    register = Register(engine)
    register.put(BagVersion.of("digitised", "b12345", 1), bag_files({"a.txt": b"one"}, identifier="b12345"))
    register.adopt()
    with register.serving(a_guard(engine)) as client:
        client.headers.update(authorization())
        yield client


SERVICES = {"ingests_api": an_ingests_api, "bag_register": a_bag_register}


def fill(engine: Engine, client: httpx.Client) -> None:
    """Bags, ingests that run and that failed, and a campaign."""

    for name in ("b1", "b2", "b3"):
        a_bag(engine, BagVersion.of("digitised", name, 1))
    for name in ("b1", "b2"):
        client.post("/ingests", json=wish(name)).raise_for_status()
    failed = client.post("/ingests", json=wish("b3")).raise_for_status().json()
    fail(engine, failed["id"])
    campaign = {"destination": {"id": "spare"}, "selection": {"missing": {"space": "digitised"}}}
    client.post("/backfills", json=campaign).raise_for_status()
    client.post("/requirements", json={"location": {"id": "azure"}}).raise_for_status()
    client.post("/clients", json={"name": "workflow", "scopes": ["ingests:read"]}).raise_for_status()
