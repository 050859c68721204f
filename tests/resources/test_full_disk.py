"""A full disk is a temporary error that names the directory; nothing half written is ever taken for whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine

from bag_register.file_lists import FileLists
from common.adapters.objects.local import LocalStore
from common.adapters.objects.memory import MemoryBucket, MemoryStore
from common.domain.bagit.inventory import Inventory
from common.domain.bagit.joined import ListedObject
from common.domain.fixity import Algorithm
from common.domain.storage_manifest import ListedFile
from common.errors import DiskFull, StoreUnavailable
from common.ledger.engine import open_engine
from common.outcome import Done
from common.runtime.process import ready
from common.topology import COPYING
from resources.confined import CannotMount, run, small_disk
from unit.common.runtime.workers import Steps, Wire, a_segment, row, running, until

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    try:
        with small_disk(tmp_path / "disk", size="2m") as directory:
            yield directory
    except CannotMount as why:
        pytest.skip(f"no file system can be mounted here: {why}")


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_engine(database, name="test", pool_size=10)
    yield engine
    engine.dispose()


def inventory() -> str:
    with Inventory(cache_bytes=MIB) as inventory:
        try:
            inventory.add_objects(ListedObject(f"data/{n:09}", 1, "e" * 40) for n in range(100_000))
        except DiskFull as error:
            return str(error)
    return "there was room"


def file_list() -> str:
    random = Random(1)
    lists = FileLists(store=MemoryStore(MemoryBucket()))
    files = (
        ListedFile(f"data/{n}", "v1/x", 1, {Algorithm.SHA256: random.randbytes(32).hex()}, tag=False)
        for n in range(100_000)
    )
    try:
        lists.keep(files)
    except DiskFull as error:
        return str(error)
    return "there was room"


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("inventory", "the bag's inventory found no room in {}: database or disk is full"),
        ("file_list", "a list of files found no room in {}: No space left on device"),
    ],
)
def test_temporary_files_that_find_no_room_say_where(disk: Path, function: str, told: str) -> None:
    answer, _ = run(f"resources.test_full_disk.{function}", SQLITE_TMPDIR=str(disk), TMPDIR=str(disk))

    assert answer == told.format(disk)
    assert list(disk.iterdir()) == []


def test_a_full_store_is_tried_again_and_shows_no_half_object(disk: Path) -> None:
    store = LocalStore(root=disk)
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        store.create(key="v1/data/a", data=b"a" * 3 * MIB)
    upload = store.begin_upload(key="v1/data/b")
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        for number in range(1, 4):
            upload.put_part(number, b"b" * MIB)
    there, parts = list(store.list(prefix="")), [part.number for part in upload.parts()]
    upload.abort()

    info = store.create(key="v1/data/a", data=b"a" * MIB)

    assert (there, parts) == ([], [1])
    assert (info.size, [found.key for found in store.list(prefix="")]) == (MIB, ["v1/data/a"])


def test_a_worker_whose_disk_is_full_is_not_ready_until_a_row_went_well(engine: Engine) -> None:
    wire, segment = Wire(), a_segment(engine)
    seen: list[dict[str, str]] = []
    step = Steps(DiskFull("the bag's inventory found no room in /tmp: full"), Done(said="1 file"))

    with running(engine, wire, {COPYING: step}) as run:
        watched = run.worker

        def looked(*_: object) -> bool:
            seen.append(ready(watched))
            return row(engine, segment)["state"] == "verifying"

        wire.hint(COPYING, segment)
        until(looked)
        until(lambda: ready(watched) == {})

    assert {"disk": "no space left for temporary files"} in seen
    assert step.rows == [segment, segment]
