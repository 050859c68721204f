"""Each application over a real ledger with something in it, for schemathesis to ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import Engine

from common.domain.bag import BagVersion
from ingests_api.streaming.streams import Rhythm
from unit.bag_register.builders import Register
from unit.bag_register.builders import a_bag as bag_files
from unit.ingests_api.builders import a_bag, an_app, fail, serving, wish

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


BRIEF = Rhythm(heartbeat=0.05, life=0)
"""Streams that end as soon as they have nothing to say."""


@contextmanager
def an_ingests_api(engine: Engine) -> Iterator[str]:
    """Its address; nobody is asked who they are."""
    with serving(an_app(engine, rhythm=BRIEF)) as client:
        fill(engine, client)
        yield str(client.base_url)


@contextmanager
def a_bag_register(engine: Engine) -> Iterator[str]:
    """Its address; one bag is registered."""
    register = Register(engine)
    register.put(BagVersion.of("digitised", "b12345", 1), bag_files({"a.txt": b"one"}, identifier="b12345"))
    register.adopt()
    with register.serving() as client:
        yield str(client.base_url)


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
