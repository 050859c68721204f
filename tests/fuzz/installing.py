"""Installs atheris when it is asked for: nobody needs it who does not fuzz."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements.txt"


def install_atheris() -> None:
    """With uv, else with pip. Raises SystemExit, with what they said, where neither can."""
    if find_spec("atheris"):
        return
    print(f"Installing {REQUIREMENTS} into {sys.prefix}", flush=True)
    uv = shutil.which("uv")
    ways = [[uv, "pip", "install", "-q", "--python", sys.executable]] if uv else []
    ways.append([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"])
    told = ""
    for way in ways:
        done = subprocess.run([*way, "-r", str(REQUIREMENTS)], capture_output=True, text=True, check=False)
        if not done.returncode:
            return
        told = done.stderr[-1000:]
    raise SystemExit(f"{REQUIREMENTS} could not be installed with uv or pip:\n{told}")
