"""Who takes part, what each one checks, and the commands that each one is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dataplane.stores import Store, Task

Commands = list[list[str]]


@dataclass(frozen=True, slots=True)
class Client:
    """A way to copy a workload."""

    name: str
    source_checked: bool
    """Every source byte was compared with the manifest."""
    replica_checked: bool
    """Every byte was read back from the destination and compared with the manifest (or, where said, the source)."""
    how: str
    commands: Callable[[Task, Path, Path], Commands]
    """Of a task, its file and an empty directory for what must touch the disk."""
    to_azure: bool = True


OURS, BOTH, USUAL, REPLICA, SDKS = "ours", "rclone-both", "rclone-usual", "rclone-replica-only", "sdk-threads"
S5CMD = "s5cmd-via-disk"


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.dataplane.clients.{name}", *arguments]


def tool(name: str) -> str:
    """A program that was installed into the virtual environment."""
    return str(Path(sys.executable).parent / name)


def _tuned(task: Task) -> list[str]:
    """The fastest flags that are safe: no needless looks and no second checksum of rclone's own, one PUT per file."""
    return [
        *["--transfers", str(task.concurrency), "--checkers", str(task.concurrency)],
        *["--no-check-dest", "--ignore-times", "--ignore-checksum", "--multi-thread-streams", "0"],
        *["--s3-no-check-bucket", "--s3-no-head", "--s3-no-head-object", "--s3-disable-checksum"],
        *["--azureblob-no-check-container", "--s3-upload-cutoff", "5G"],
    ]


def _rclone(*arguments: str) -> list[str]:
    return [tool("rclone"), "--config", "/dev/null", "--retries", "1", *arguments]


def _places(task: Task) -> tuple[str, str]:
    prefix = task.prefix.rstrip("/")
    return f"src:{task.source.bucket}/{prefix}", f"dst:{task.destination.bucket}/{prefix}"


def _rclone_copy(task: Task) -> list[str]:
    return _rclone("copy", *_places(task), *_tuned(task))


def _rclone_checksum(task: Task, place: str) -> list[str]:
    checkers = ["--checkers", str(task.concurrency), "--transfers", str(task.concurrency)]
    return _rclone("checksum", "sha256", task.manifest, place, "--download", "--one-way", *checkers)


def _rclone_both(task: Task, file: Path, room: Path) -> Commands:
    del file, room
    source, destination = _places(task)
    return [_rclone_checksum(task, source), _rclone_copy(task), _rclone_checksum(task, destination)]


def _rclone_replica(task: Task, file: Path, room: Path) -> Commands:
    del file, room
    return [_rclone_copy(task), _rclone_checksum(task, _places(task)[1])]


def _rclone_usual(task: Task, file: Path, room: Path) -> Commands:
    del file, room
    places = _places(task)
    return [_rclone("copy", *places), _rclone("check", *places, "--download", "--one-way")]


def _s5cmd(task: Task, file: Path, room: Path) -> Commands:
    del file
    down, again = str(room / "down"), str(room / "again")
    source, destination = (
        [tool("s5cmd"), "--log", "error", "--endpoint-url", store.endpoint] for store in (task.source, task.destination)
    )
    return [
        [*source, "cp", f"s3://{task.source.bucket}/{task.prefix}*", f"{down}/"],
        _module("tree", task.manifest, down),
        [*destination, "cp", f"{down}/", f"s3://{task.destination.bucket}/{task.prefix}"],
        [*destination, "cp", f"s3://{task.destination.bucket}/{task.prefix}*", f"{again}/"],
        _module("tree", task.manifest, again),
    ]


CLIENTS = {
    client.name: client
    for client in (
        Client(OURS, True, True, "Backfill's copy and verify steps", lambda _, file, __: [_module("ours", str(file))]),
        Client(BOTH, True, True, "rclone, tuned: checksum source, copy, checksum destination", _rclone_both),
        Client(
            USUAL,
            False,
            True,
            "rclone, default flags: copy, check --download (against the source, not the manifest)",
            _rclone_usual,
        ),
        Client(REPLICA, False, True, "rclone, tuned: copy, checksum destination", _rclone_replica),
        Client(
            S5CMD,
            True,
            True,
            "s5cmd through a local disk: down, SHA-256, up, down again, SHA-256 (it has no streaming way that checks)",
            _s5cmd,
            to_azure=False,
        ),
        Client(
            SDKS,
            True,
            True,
            "boto3 and azure-storage-blob in a thread pool, SHA-256 both ways",
            lambda _, file, __: [_module("sdks", str(file))],
        ),
    )
}


def hashing_limit(size: int) -> Commands:
    """What hashing every byte twice costs, and nothing else."""
    return [_module("hashing", str(size))]


def environment(task: Task) -> dict[str, str]:
    """What the command-line tools are told; two remotes, so that nothing is copied by the server itself."""
    return {
        "AWS_ACCESS_KEY_ID": task.source.account,
        "AWS_SECRET_ACCESS_KEY": task.source.secret,
        "AWS_REGION": "us-east-1",
        # A service that is installed has its bytecode; where none is kept, each run would measure the compiler.
        "PYTHONDONTWRITEBYTECODE": "",
        **_remote("SRC", task.source),
        **_remote("DST", task.destination),
    }


def _remote(name: str, store: Store) -> dict[str, str]:
    if store.kind == "s3":
        facts = {"TYPE": "s3", "PROVIDER": "Other", "REGION": "us-east-1", "FORCE_PATH_STYLE": "true"}
        facts |= {"ACCESS_KEY_ID": store.account, "SECRET_ACCESS_KEY": store.secret}
    else:
        facts = {"TYPE": "azureblob", "ACCOUNT": store.account, "KEY": store.secret}
    return {f"RCLONE_CONFIG_{name}_{key}": value for key, value in (facts | {"ENDPOINT": store.endpoint}).items()}
