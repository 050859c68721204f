"""Both services over one ledger and a real bucket, with the same bags and ingests for every pair."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import Engine, select, update

from common.adapters.objects.configuration import LocationConfig
from common.domain.bag import BagVersion
from common.domain.location import Location, LocationId, Provider
from common.ledger.engine import transaction
from common.ledger.locations import announce
from common.ledger.tables import NOW, bag_locations, bag_versions
from common.web.auth import Permission
from common.web.auth.configured import asking, own_issuer
from common.web.auth.directory import Directory
from common.web.auth.identifying import Identifier
from common.web.serving import HttpServer
from ingests_api.api import make_app
from ingests_api.choosing import Offer
from ingests_api.surroundings import Surroundings
from servers.handles import S3Server
from unit.bag_register.builders import Register, a_bag
from unit.ingests_api.builders import fail, wish
from unit.ingests_api.test_authentication import someone

INFO = """External-Identifier: {identifier}
Payload-Oxum: 11.2
Bagging-Date: 2019-08-15
Source-Organization: Wellcome Collection
External-Description: Letters
Internal-Sender-Identifier: 123
Internal-Sender-Description: Box 7
"""
RUNNING, FAILED = (UUID(int=number, version=4) for number in (1, 2))
"""The ingests that are there from the beginning; further ones are <id> in the pairs."""

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


@dataclass(frozen=True)
class Stage:
    """Where pairs are tried."""

    clients: dict[str, httpx.Client]
    bucket: str
    secrets: dict[str, str]
    """What stands for <token>, <key> and so on in a pair's request."""

    def answer(self, request: dict[str, Any]) -> httpx.Response:
        client = self.clients[request["service"]]
        headers = {name: self._filled(value) for name, value in request.get("headers", {}).items()}
        content = request.get("text", json.dumps(request["body"]) if "body" in request else None)
        if content is not None:
            content = self._filled(content).encode()
        return client.request(request["method"], request["path"], headers=headers, content=content)

    def _filled(self, text: str) -> str:
        for name, value in (self.secrets | {"<bucket>": self.bucket}).items():
            text = text.replace(name, value)
        return text

    def normal(self, text: str) -> str:
        """The text without what differs from run to run."""
        for name, client in self.clients.items():
            text = text.replace(str(client.base_url).rstrip("/"), f"<{name}>")
        text = _TOKEN.sub("<token>", _DATE.sub("<date>", text.replace(self.bucket, "<bucket>")))
        return _UUID.sub(lambda found: found[0] if UUID(found[0]).int & 0xFF in (1, 2) else "<id>", text)


@contextmanager
def staged(engine: Engine, s3: S3Server) -> Iterator[Stage]:
    bucket = s3.bucket()
    register = _register(engine, s3, bucket)
    _fill(register, s3, bucket)
    numbers = iter(range(1, 1000))
    guard = asking(Identifier(Directory(engine), [own_issuer(engine)]))
    offer = Offer(
        locations={COLD.id: Location(COLD.id, COLD.provider, bucket), AZURE.id: AZURE},
        writable=frozenset({AZURE.id}),
    )
    ingests = make_app(
        Surroundings(
            engine=engine,
            offer=offer,
            new_id=lambda: UUID(int=next(numbers) % 100, version=4),
            guard=guard,
            wake_relay=lambda: None,
        )
    )
    with (
        HttpServer(ingests, host="127.0.0.1", port=0) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as to_ingests,
        register.serving(guard=guard) as to_register,
    ):
        stage = Stage({"ingests": to_ingests, "register": to_register}, bucket, _secrets(engine, to_ingests))
        _begin(stage, engine)
        yield stage


COLD = Location(LocationId("cold"), Provider.AMAZON_S3, "")
AZURE = Location(LocationId("azure"), Provider.AZURE_BLOB, "replicas")


def _register(engine: Engine, s3: S3Server, bucket: str) -> Register:
    cold = LocationConfig.model_validate(
        {
            "id": COLD.id,
            "provider": COLD.provider,
            "bucket": bucket,
            "endpoint": s3.endpoint,
            "region": s3.region,
            "access_key_id": s3.access_key_id,
            "secret_access_key": s3.secret_access_key,
        }
    )
    register = Register(engine, [cold])
    with transaction(engine) as connection:
        announce(connection, AZURE)
    return register


def _fill(register: Register, s3: S3Server, bucket: str) -> None:
    """b1 in two versions, the second also in Azure; b2 to b9; one whose identifier has slashes and a space."""
    bags = [("b1", 1), ("b1", 2), ("PP/MIA/1 a", 1), *((f"b{number}", 1) for number in range(2, 10))]
    client = s3.client()
    for identifier, number in bags:
        files = a_bag({"a.xml": b"hello", "b.txt": b"world\n"}, info=INFO.format(identifier=identifier))
        for path, body in files.items():
            client.put_object(Bucket=bucket, Key=f"digitised/{identifier}/v{number}/{path}", Body=body)
    record, problems = register.adopt()
    assert (record.registered, problems) == (len(bags), [])
    _replicate(register.engine, BagVersion.of("digitised", "b1", 2))


def _replicate(engine: Engine, bag: BagVersion) -> None:
    this = bag_versions.c.external_identifier == bag.external_identifier.value, bag_versions.c.version == 2
    with transaction(engine) as connection:
        number = connection.execute(select(bag_versions.c.id).where(*this)).scalar_one()
        connection.execute(
            bag_locations.insert().values(
                bag_version_id=number, location_id="azure", evidence_class="E3", role="replica", registered_at=NOW
            )
        )
        connection.execute(update(bag_versions).where(*this).values(revision=bag_versions.c.revision + 1))


def _secrets(engine: Engine, client: httpx.Client) -> dict[str, str]:
    everything = someone(engine, *Permission, name="workflow")
    reader = someone(engine, Permission.BAGS_READ, kind="key", name="catalogue")
    token = client.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, auth=(everything.id, everything.secret)
    ).json()["access_token"]
    basic = httpx.BasicAuth(everything.id, everything.secret)
    header = next(basic.auth_flow(httpx.Request("GET", "http://x"))).headers["authorization"]
    return {
        "<token>": token,
        "<reader's key>": reader.secret,
        "<basic>": header,
        "<client id>": everything.id,
        "<client secret>": everything.secret,
    }


def _begin(stage: Stage, engine: Engine) -> None:
    headers = {"Authorization": f"Bearer {stage.secrets['<token>']}"}
    callback = {"type": "Callback", "url": "https://example.org/callback"}
    for identifier in ("b8", "b9"):
        stage.clients["ingests"].post("/ingests", json=wish(identifier, callback=callback), headers=headers)
    fail(engine, str(FAILED))
