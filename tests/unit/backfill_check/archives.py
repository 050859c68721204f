"""An archive on a real store, adopted by a real register, and things that go wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from typer.testing import Result

from common.adapters.objects.configuration import read_locations
from common.domain.bag import BagVersion
from servers.handles import AzureServer, S3Server
from unit.bag_register.builders import Register, a_bag
from unit.command_line import invoke

FIRST, SECOND = BagVersion.of("space", "b1", 1), BagVersion.of("space", "b2", 1)
FILES = {"a.txt": b"aaa", "sub/\u00e9 b.txt": b"bbbb", "z.txt": b"z" * 5000}


@dataclass
class Archive:
    """Two bags at the location "there"."""

    engine: Engine
    dsn: str
    locations: Path
    put: Callable[[str, bytes], None]
    remove: Callable[[str], None]

    def adopt(self) -> Register:
        for bag in (FIRST, SECOND):
            for path, data in a_bag(FILES, identifier=str(bag.external_identifier)).items():
                self.put(f"bags/{bag.path}/{path}", data)
        configs = read_locations(self.locations)
        register = Register(self.engine, list(configs.values()))
        record, problems = register.adopt("there")
        assert record.registered == 2, problems
        return register

    def check(self, *words: str) -> Result:
        given = ["--ledger", self.dsn, "--locations", str(self.locations)]
        return invoke(["check", *words, *given])


def on_s3(engine: Engine, dsn: str, directory: Path, s3: S3Server) -> Archive:
    bucket, client = s3.bucket(), s3.client()
    keys = {"access_key_id": s3.access_key_id, "secret_access_key": s3.secret_access_key, "region": s3.region}
    facts = {"provider": "amazon-s3", "bucket": bucket, "endpoint": s3.endpoint, **keys}
    return Archive(
        engine,
        dsn,
        _locations(directory, facts),
        lambda key, data: client.put_object(Bucket=bucket, Key=key, Body=data),
        lambda key: client.delete_object(Bucket=bucket, Key=key),
    )


def on_azure(engine: Engine, dsn: str, directory: Path, azurite: AzureServer) -> Archive:
    container = azurite.container()
    client = azurite.client().get_container_client(container)
    facts = {"provider": "azure-blob-storage", "bucket": container, "endpoint": azurite.endpoint}
    facts |= {"account_name": azurite.account_name, "account_key": azurite.account_key}
    return Archive(
        engine,
        dsn,
        _locations(directory, facts),
        lambda key, data: client.upload_blob(key, data, overwrite=True) and None,
        lambda key: client.delete_blob(key),
    )


def on_disk(engine: Engine, dsn: str, directory: Path) -> Archive:
    root = directory / "store"
    root.mkdir()

    def put(key: str, data: bytes) -> None:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(data)

    facts = {"provider": "local", "bucket": str(root)}
    return Archive(engine, dsn, _locations(directory, facts), put, lambda key: (root / key).unlink())


def _locations(directory: Path, facts: dict[str, str]) -> Path:
    path = directory / "locations.toml"
    lines = "".join(f'{name} = "{value}"\n' for name, value in (facts | {"prefix": "bags/"}).items())
    path.write_text(f"[locations.there]\n{lines}", "utf-8")
    return path
