"""Runs a function of a test in a process of its own: with little disk, or with its memory measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
_MAIN = """
import importlib, json, resource, sys
module, name = sys.argv[1].rsplit(".", 1)
answer = getattr(importlib.import_module(module), name)()
print(json.dumps({"answer": answer, "kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""


def run(function: str, *, seconds: float = 120, **environment: str) -> tuple[Any, int]:
    """What `module.function()` answers (JSON), and the most memory its process held, in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", _MAIN, function],
        env={**os.environ, "PYTHONPATH": str(TESTS), **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    return found["answer"], found["kib"] * 1024


class CannotMount(Exception):
    """Only root may mount, and not everywhere."""


@contextmanager
def small_disk(directory: Path, *, size: str) -> Iterator[Path]:
    """A file system of `size`, such as "2m". Raises CannotMount."""
    directory.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotMount(done.stderr.strip())
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)
