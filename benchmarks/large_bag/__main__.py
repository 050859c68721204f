"""A large bag through the real services: `python -m benchmarks.large_bag [million|w3|film] [--files 1000000]`.

`million`: so many small files, which the null server makes up (each holds its own path), compares with what is put and
keeps one bit of. `w3`: four files of 512 MB. `film`: one of 200 GiB, of which half is copied. The bag is imported,
planned, looked through for what is frozen, copied, verified, aggregated, registered and read as a document, by the six
services with their usual settings over PostgreSQL. Prints JSON: what each step took, and of each process the peak
memory (MiB) and the CPU (seconds). Tells how far it is on standard error.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from benchmarks.large_bag.bags import payload
from benchmarks.large_bag.running import measure


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bag", nargs="?", choices=("million", "w3", "film"), default="million")
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--patience", type=float, default=7200, help="seconds after which it gives up")
    given = parser.parse_args()
    shared = Path("/dev/shm")
    room = Path(tempfile.mkdtemp(prefix="backfill-large-bag-", dir=shared if shared.is_dir() else None))
    room.chmod(0o711)
    try:
        found = measure(room, payload(given.bag, files=given.files), patience=given.patience)
        print(json.dumps({"bag": given.bag, **found}))
    finally:
        shutil.rmtree(room, ignore_errors=True)


if __name__ == "__main__":
    main()
