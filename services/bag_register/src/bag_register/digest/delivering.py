"""Takes each day's digest where it is to go: into a store, and to a webhook."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy import Engine

from bag_register.digest import rendering
from common.errors import AlreadyExists, BackfillError
from common.ledger import digests
from common.ledger.digests import Digest, digest
from common.ledger.engine import snapshot, transaction
from common.ports import ObjectStore

log = structlog.get_logger()

FOLDER = "digests/"
Post = Callable[[bytes], None]
"""Sends a document as JSON; raises TransientError where it was not taken."""


class Deliverer:
    """Safe to run in any number of processes: one of them writes a day's digest.

    What cannot be delivered is tried again, and told in the log each time.
    """

    def __init__(self, *, engine: Engine, store: ObjectStore, prefix: str = "", hour: int, post: Post | None) -> None:
        self._engine = engine
        self._store = store
        self._folder = prefix + FOLDER
        self._hour = hour
        self._post = post

    def chore(self) -> None:
        """Write the digest of the day that ended, if nobody has."""
        with transaction(self._engine) as connection:
            claimed = digests.claim(connection, hour=self._hour)
        if claimed is None:
            return
        day, until = claimed
        with snapshot(self._engine) as connection:
            found = digest(connection, since=until - timedelta(days=1), until=until)
        try:
            self._deliver(f"{self._folder}{day.isoformat()}", found)
        except BackfillError as error:
            log.error("digest not delivered", alert="digest", day=day.isoformat(), error=str(error))
            return
        with transaction(self._engine) as connection:
            digests.delivered(connection, day)
        log.info("digest written", day=day.isoformat())

    def _deliver(self, name: str, found: Digest) -> None:
        for suffix, media, text in (
            ("md", "text/markdown; charset=utf-8", rendering.markdown(found)),
            ("html", "text/html; charset=utf-8", rendering.html(found)),
        ):
            try:
                self._store.create(key=f"{name}.{suffix}", data=text.encode(), content_type=media)
            except AlreadyExists:
                # Written by a process that ended before it could say so; what it found is as good.
                log.info("digest was written before", key=f"{name}.{suffix}")
        if self._post is not None:
            document = rendering.document(found) | {"text": rendering.markdown(found)}
            self._post(json.dumps(document).encode())
