"""The null server as a process: an S3 and Azure endpoint that costs next to nothing, so that one sees the clients."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Self
from urllib.request import urlopen

from benchmarks.dataplane.errors import CannotMeasure
from benchmarks.dataplane.stores import Store

from local_stack.servers.child import Child, start_child
from local_stack.servers.lifetime import Server
from local_stack.servers.ports import answers, free_port

ACCOUNT = "devstoreaccount1"
"""The account name by which the server tells Azure requests from those of S3."""
_CODE = Path(__file__).parent / "null_server.c"


def compile_null_server(directory: Path) -> Path | None:
    """The program; None where there is no C compiler. Raises CannotMeasure with what the compiler said."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    program = directory / "null_server"
    done = subprocess.run(
        [compiler, "-O2", "-w", "-pthread", "-o", program, _CODE], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotMeasure(f"{compiler} could not compile {_CODE}:\n{done.stderr[-2000:]}")
    return program


class NullServer(Server):
    """Serves the files below `root`; what is uploaded becomes a hard link to the source file of that key.

    With `made_up` it has a bag of so many files besides, of which it keeps nothing (`made_up.h`).
    """

    def __init__(self, program: Path, root: Path, *, log: Path, made_up: int = 0) -> None:
        self._program, self._root, self._log, self._made_up = program, root, log, made_up
        self._port = free_port()
        self._child: Child | None = None

    def start(self) -> Self:
        command: list[str | Path] = [self._program, "127.0.0.1", str(self._port), self._root, str(self._made_up)]
        self._child = start_child("The null server", command, log=self._log)
        self._child.wait_until(lambda: answers(self._port), seconds=10)
        return self

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def store(self, kind: str, bucket: str) -> Store:
        """How to reach a bucket (`kind` "s3") or container ("azure")."""
        base = f"http://127.0.0.1:{self._port}"
        if kind == "s3":
            return Store(kind, base, bucket, "null", "null")
        return Store(kind, f"{base}/{ACCOUNT}", bucket, ACCOUNT, base64.b64encode(bytes(64)).decode())

    def delay(self, milliseconds: float) -> None:
        """Add so much to every request from now on."""
        self._ask(f"_delay={milliseconds}")

    def take_counts(self) -> dict[str, int]:
        """Requests by method (LIST is one too) since the last call."""
        counts: dict[str, int] = json.loads(self._ask("_reset"))
        return counts

    def _ask(self, what: str) -> bytes:
        with urlopen(f"http://127.0.0.1:{self._port}/{what}", timeout=5) as answer:
            told: bytes = answer.read()
        return told
