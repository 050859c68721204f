"""Directories for servers: a given one, or a temporary one that goes away with the server."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from common.errors import ConfigurationError

SERVICE_USER = "nobody"
"""Who servers that refuse root run as, when we are root. It is in every passwd file; no user is ever created."""


class Place:
    """A server's directory. Temporary ones are removed by `clear()`, given ones never."""

    def __init__(self, directory: Path | None, *, name: str) -> None:
        self._temporary = directory is None
        self.path = Path(tempfile.mkdtemp(prefix=f"backfill-{name}-")) if directory is None else directory.absolute()
        if self._temporary:
            self.path.chmod(0o711)
        self.path.mkdir(parents=True, exist_ok=True)

    def clear(self) -> None:
        if self._temporary:
            shutil.rmtree(self.path, ignore_errors=True)


def service_user() -> str | None:
    """The user to drop to, None where we are nobody special."""
    return SERVICE_USER if os.geteuid() == 0 else None


def give_to(path: Path, user: str | None) -> None:
    """Make `path`, a directory of ours, the user's own; nothing where there is no user to drop to."""
    path.mkdir(mode=0o700, exist_ok=True)
    give_file_to(path, user)


def give_file_to(path: Path, user: str | None) -> None:
    """Make one file or folder of ours the user's own, its mode unchanged."""
    if (group := primary_group(user)) is not None and user is not None:
        shutil.chown(path, user, group)


def primary_group(user: str | None) -> int | None:
    """The group that belongs to a user; None where there is nobody to drop to."""
    if user is None:
        return None
    import pwd

    return pwd.getpwnam(user).pw_gid


def reachable_by_all(path: Path) -> bool:
    """Whether every user may pass through `path` and all its parents. Nothing is changed to make it so."""
    real = path.resolve()
    folders = [real, *real.parents] if real.is_dir() else list(real.parents)
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders if folder.exists())


def within_reach(directory: Path | None, *, user: str | None, name: str) -> Path | None:
    """`directory`, or where `user` cannot get into it, a place of its own below /var/tmp, always the same one.

    Raises ConfigurationError where that place is somebody else's.
    """
    if directory is None or user is None:
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    if reachable_by_all(directory):
        return directory
    mark = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:12]
    instead = Path("/var/tmp") / f"backfill-{name}-{mark}"
    print(f"{name} runs as {user}, who cannot reach {directory}: its data are in {instead}", flush=True)
    instead.mkdir(mode=0o711, exist_ok=True)
    if instead.stat().st_uid != os.geteuid():
        raise ConfigurationError(f"{instead} belongs to somebody else. Remove it, or give a directory all can reach.")
    return instead
