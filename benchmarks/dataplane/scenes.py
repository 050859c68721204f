"""Where a workload is copied from and to: pairs of servers, and how to empty the destination between runs."""

from __future__ import annotations

import shutil
from abc import abstractmethod
from pathlib import Path
from typing import Self

from benchmarks.dataplane.clients.catalogue import tool
from benchmarks.dataplane.measuring import elsewhere
from benchmarks.dataplane.null_server import NullServer
from benchmarks.dataplane.stores import Store
from benchmarks.dataplane.workloads import SOURCE_BUCKET

from local_stack.servers.azurite import Azurite
from local_stack.servers.child import Child, start_child
from local_stack.servers.lifetime import Server
from local_stack.servers.ports import answers, free_port

DESTINATION_BUCKET = "dst"
_KEY, _SECRET = "benchmark", "benchmark-secret"


class Scene(Server):
    """A source and an emptied destination."""

    name: str
    latency_ms: float = 0
    real: bool = False
    """Whether the servers work, so that they are the limit."""
    source: Store
    destination: Store
    certificate: Path | None = None
    """What clients must trust; with its key. None where the servers speak without TLS."""

    @abstractmethod
    def empty(self) -> None:
        """Make the destination hold nothing."""

    def take_counts(self) -> dict[str, int]:
        """Requests since the last call, where the servers count."""
        return {}


class NullScene(Scene):
    """Both ends on the null server."""

    def __init__(self, kind: str, *, program: Path, root: Path, latency_ms: float = 0) -> None:
        self.name = f"{'latency' if latency_ms else 'null'}-{kind}"
        self.latency_ms = latency_ms
        self._root = root
        self._server = NullServer(program, root, log=root / "null_server.log")
        self.source = self._server.store("s3", SOURCE_BUCKET)
        self.destination = self._server.store(kind, DESTINATION_BUCKET)

    def start(self) -> Self:
        self._server.start()
        self._server.delay(self.latency_ms)
        return self

    def stop(self) -> None:
        self._server.stop()

    def empty(self) -> None:
        _empty_directory(self._root / DESTINATION_BUCKET)
        self._server.take_counts()

    def take_counts(self) -> dict[str, int]:
        return self._server.take_counts()


class RealScene(Scene):
    """`rclone serve s3` over the workload's directory; to itself in a second process, or to Azurite in memory (without
    TLS)."""

    real = True

    def __init__(self, kind: str, *, root: Path, repository: Path, tls: bool = False) -> None:
        self.name = f"{'tls' if tls else 'real'}-{kind}"
        self._kind, self._root, self._repository = kind, root, repository
        self.certificate = elsewhere(_make_certificate, root / "certificate.pem") if tls else None
        self._directory = root / "real"
        self._children: list[Child] = []
        self._azurite: Azurite | None = None
        self._sink: Child | None = None

    def start(self) -> Self:
        child, self.source = self._serve(self._root, SOURCE_BUCKET)
        self._children.append(child)
        return self

    def stop(self) -> None:
        self._stop_destination()
        for child in self._children:
            child.stop()

    def empty(self) -> None:
        """A new server each time: Azurite keeps the memory of what was deleted, rclone the listing."""
        self._stop_destination()
        if self._kind == "s3":
            _empty_directory(self._directory / DESTINATION_BUCKET)
            self._sink, self.destination = self._serve(self._directory, DESTINATION_BUCKET)
        else:
            self._start_azurite()

    def _stop_destination(self) -> None:
        for server in (self._sink, self._azurite):
            if server is not None:
                server.stop()

    def _serve(self, directory: Path, bucket: str) -> tuple[Child, Store]:
        port = free_port()
        command = [tool("rclone"), "--config", "/dev/null", "serve", "s3", str(directory)]
        command += ["--addr", f"127.0.0.1:{port}", "--auth-key", f"{_KEY},{_SECRET}", "--log-level", "ERROR"]
        if self.certificate is not None:
            command += ["--cert", str(self.certificate), "--key", str(self.certificate)]
        child = start_child("rclone serve s3", command, log=self._root / f"rclone-{bucket}.log")
        child.wait_until(lambda: answers(port), seconds=20)
        scheme = "http" if self.certificate is None else "https"
        return child, Store("s3", f"{scheme}://127.0.0.1:{port}", bucket, _KEY, _SECRET)

    def _start_azurite(self) -> None:
        self._azurite = Azurite(repository=self._repository, in_memory=True).start()
        address = self._azurite.address
        self.destination = Store(
            "azure", address.endpoint, DESTINATION_BUCKET, address.account_name, address.account_key
        )
        elsewhere(_create_container, self.destination)


def _empty_directory(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)


def _make_certificate(path: Path) -> Path:
    from local_stack.servers.certificates import make_certificate

    return make_certificate(path)


def _create_container(store: Store) -> None:
    from azure.storage.blob import BlobServiceClient

    credential = {"account_name": store.account, "account_key": store.secret}
    BlobServiceClient(store.endpoint, credential=credential).create_container(store.bucket)
