"""Fuzzes one target until libFuzzer's arguments say stop: python -m fuzz.one TARGET [-max_total_time=…] DIRECTORY…"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

_OURS = ["common", "bag_register", "ingests_api", "tomllib", "json", "email"]

with atheris.instrument_imports(include=_OURS):
    from fuzz.catalogue import TARGETS


def main(name: str, *options: str) -> None:
    atheris.enabled_hooks.add("RegEx")
    atheris.enabled_hooks.add("str")
    with tempfile.TemporaryDirectory() as directory:
        # To merge, libFuzzer runs itself: what it takes for itself must be a program that knows the target.
        program = Path(directory) / "one"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fuzz.one {name} "$@"\n')
        program.chmod(0o755)
        atheris.Setup([str(program), *options], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
