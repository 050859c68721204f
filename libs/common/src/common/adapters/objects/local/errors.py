"""One table: what the operating system answers → what Backfill calls it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from common.errors import (
    AccessDenied,
    BackfillError,
    NameNotAllowed,
    NotFound,
    RefusedByStore,
    StoreUnavailable,
    Throttled,
)

TABLE: dict[int, type[BackfillError]] = {
    errno.ENOENT: NotFound,
    errno.ENOTDIR: NotFound,
    errno.ELOOP: NotFound,  # a symbolic link is not an object
    errno.EISDIR: NotFound,
    errno.EACCES: AccessDenied,
    errno.EPERM: AccessDenied,
    errno.EROFS: AccessDenied,
    errno.ENAMETOOLONG: NameNotAllowed,
    errno.EILSEQ: NameNotAllowed,
    errno.EMFILE: Throttled,
    errno.ENFILE: Throttled,
    errno.ENOSPC: StoreUnavailable,
    errno.EDQUOT: StoreUnavailable,
    errno.EIO: StoreUnavailable,
    errno.ESTALE: StoreUnavailable,
    errno.ETIMEDOUT: StoreUnavailable,
    errno.EINTR: StoreUnavailable,
    errno.EBUSY: StoreUnavailable,
}


def error_for(problem: OSError, key: str) -> BackfillError:
    kind = TABLE.get(problem.errno or 0, RefusedByStore)
    return kind(f"{key}: {problem.strerror or type(problem).__name__}")


@contextmanager
def translated(key: str) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise error_for(problem, key) from problem
