"""What must hold of what stores, operators and names say to us, whatever the bytes."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import tempfile
from pathlib import Path

from bag_register.file_lists import FileLists, RecordCorrupt
from common.adapters.objects.azure import listing as azure_listing
from common.adapters.objects.bandwidth import LEAST, read_bandwidth
from common.adapters.objects.configuration import SECRETS, read_locations
from common.adapters.objects.local.places import name_fault
from common.adapters.objects.memory import MemoryBucket, MemoryStore
from common.adapters.objects.s3 import listing as s3_listing
from common.adapters.objects.s3.info import parse_restore
from common.adapters.objects.wire.body import Incoming
from common.adapters.objects.wire.connection import Closed, Connection, Cut
from common.adapters.objects.wire.heads import Nonsense, read_head
from common.domain import naming
from common.domain.bag import BagVersion
from common.domain.bagit.names import manifest_named
from common.domain.fetched import NotOurs, fetched_from
from common.domain.fixity import Algorithm, Checksum
from common.domain.layout import Layout
from common.domain.location import Location, LocationId, Provider
from common.domain.problem import Problem
from common.domain.storage_manifest import ListedFile
from common.errors import ConfigurationError, RefusedByStore, StoreUnavailable

_SECRET = re.compile(rb"^(?:" + "|".join(SECRETS).encode() + rb") *=(?!.*env).*$", re.MULTILINE)
"""Lines that say a secret. The name of the environment variable that holds one is none."""
_BAG = BagVersion.of("digitised", "b1", 3)
_OURS = [
    Location(LocationId("cold"), Provider.AMAZON_S3, "bucket", "archive/"),
    Location(LocationId("azure"), Provider.AZURE_BLOB, "container"),
]


def restore_header(data: bytes) -> None:
    """x-amz-restore is read, or refused as a store's strange answer; times can be compared with our own."""
    try:
        found = parse_restore(data.decode("latin-1"))
    except RefusedByStore:
        return
    assert found is not None
    assert found.expires_at is None or found.expires_at.utcoffset() is not None, "a time without its zone"


def store_answer(data: bytes) -> None:
    """What a server sends is an answer whose body has the length it tells, or is none."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        theirs.send(data[:60_000])
        theirs.shutdown(socket.SHUT_WR)
        connection = Connection(ours, tls=False, timeout=5)
        try:
            body = Incoming(connection, read_head(connection.head(), method="GET"))
            into = bytearray(70_000)
            filled = body.fill(memoryview(into))
        except (Nonsense, Cut, Closed):
            return
    assert body.head.size in (None, filled), "bytes are missing, or there are too many"
    assert not body.head.chunked or (body.ended() and b"\r\n0" in data), "a body has ended before its last chunk"
    assert all(name == name.lower() and "\n" not in name + value for name, value in body.head.headers.items())


def store_list(data: bytes) -> None:
    """A page of a list is read, or told to be none; what it lists has sizes, and times that can be compared."""
    for read in (s3_listing.read_page, azure_listing.read_page):
        try:
            infos = read(data, what="listing").infos
        except StoreUnavailable:
            continue
        for info in infos:
            assert info.size >= 0, "fewer bytes than none"
            assert info.last_modified is None or info.last_modified.utcoffset() is not None, "a time without its zone"
            assert (
                info.restore is None
                or info.restore.expires_at is None
                or info.restore.expires_at.utcoffset() is not None
            )


def locations(data: bytes) -> None:
    """The locations file is read, or every problem of it is told. References to files are another matter."""
    if b"file" in data:
        return
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        try:
            found = read_locations(Path(file.name))
        except ConfigurationError as refused:
            assert "SEEDED" not in str(refused) or b"SEEDED" in _SECRET.sub(b"", data), "a secret is shown"
            return
    assert found
    for name, config in found.items():
        assert config.location.id == name
        assert config.local_time().utcoffset() is not None


def bandwidth(data: bytes) -> None:
    """A rate or a list of hours, as JSON."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    try:
        found = read_bandwidth(value)
    except ValueError:
        return
    assert all(hours.rate >= LEAST for hours in found.hours)
    assert all(0 <= hours.first <= 1440 and 0 <= hours.end <= 1440 for hours in found.hours)


def bag_path(data: bytes) -> None:
    """A path in a store is a bag version's, and no other's; or it is refused with a sentence."""
    path = data.decode("utf-8", "replace")
    try:
        bag = Layout().bag_at(path)
    except ValueError:
        return
    assert bag.path == path
    assert not {"", ".", ".."} & set(path.split("/")), path
    assert name_fault(path + "/data/x") is None or any(len(part.encode()) > 255 for part in path.split("/"))


def fetch_url(data: bytes) -> None:
    """A URL of fetch.txt leads to an earlier version of the same bag, or nowhere."""
    try:
        found = fetched_from(data.decode("utf-8", "surrogateescape"), bag=_BAG, locations=_OURS)
    except NotOurs:
        return
    assert 1 <= found.version.number < _BAG.version.number
    assert found.key_path.startswith(f"{found.version}/")
    assert not {"", ".", ".."} & set(found.key_path.split("/")), found


def mapped_name(data: bytes) -> None:
    """Mapping is reversible both ways, and no two names become one."""
    name = data.decode("utf-8", "replace")
    assert naming.decode(naming.encode(name)) == name
    try:
        original = naming.decode(name)
    except ValueError:
        return
    assert naming.encode(original) == name


def file_list(data: bytes) -> None:
    """An object of the record store, whoever wrote it: every file of it, or RecordCorrupt."""
    store = MemoryStore(MemoryBucket())
    store.create(key="list", data=data)
    found: list[ListedFile] = []
    try:
        with FileLists(store=store).read(key="list", sha256=hashlib.sha256(data).hexdigest()) as files:
            found.extend(files)
    except RecordCorrupt:
        return
    assert [ListedFile.from_line(file.to_line()) for file in found] == found


def file_record(data: bytes) -> None:
    """One line of a file list."""
    try:
        file = ListedFile.from_line(data)
    except ValueError:
        return
    assert ListedFile.from_line(file.to_line()) == file


def digest(data: bytes) -> None:
    """Algorithm and digest, apart at the first space."""
    name, _, value = data.decode("utf-8", "replace").partition(" ")
    problems: list[Problem] = []
    kind = manifest_named(f"manifest-{name}.txt", report=problems.append)
    assert kind or problems
    try:
        checksum = Checksum(kind.algorithm if kind else Algorithm.SHA256, value)
    except ValueError:
        return
    assert bytes.fromhex(checksum.value).hex() == value
