"""Uploads that nobody will ever finish: aborted where they are ours, listed where they are not.

A store keeps, and bills, the parts of an upload until it is committed or aborted. A worker that dies leaves its upload
to the next attempt; when the segment ends otherwise (the ingest failed, somebody ended it), nobody takes it up.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from common.domain.location import Location
from common.errors import ConfigurationError, StoreError, TransientError
from common.ledger import uploads
from common.ledger.engine import transaction
from common.ledger.uploads import Owner
from common.ports import ObjectStore, PendingUpload, Stores

if TYPE_CHECKING:
    from sqlalchemy import Engine

log = structlog.get_logger()


class Sweep:
    """One look at every destination; to be called every few minutes, acts once in `every` for a whole deployment."""

    def __init__(
        self,
        *,
        engine: Engine,
        stores: Stores,
        every: timedelta,
        abort_after: timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._stores = stores
        self._every = every
        self._abort_after = abort_after
        """How old an abandoned upload must be to be aborted."""
        self._now = now

    def __call__(self) -> None:
        """Raises LedgerUnavailable. A store that cannot be asked is looked at the next time."""
        with transaction(self._engine) as connection:
            known = uploads.destinations(connection)
            due = [location for location in known if uploads.begin_look(connection, location, every=self._every)]
        for location in due:
            try:
                self._look_at(location, self._stores(location.id))
            except (StoreError, TransientError, ConfigurationError) as error:
                log.warning("uploads not looked at", location=location.id.value, error=str(error))

    def _look_at(self, location: Location, store: ObjectStore) -> None:
        found = list(store.pending_uploads(prefix=location.prefix))
        with transaction(self._engine) as connection:
            owned = [(upload, uploads.owner(connection, location, upload)) for upload in found]
            uploads.seen(connection, location, owned)
        aborted = [
            self._abort(location, store, upload) for upload, owner in owned if self._is_due(location, upload, owner)
        ]
        if found:
            log.info("unfinished uploads", location=location.id.value, found=len(found), aborted=sum(aborted))

    def _is_due(self, location: Location, upload: PendingUpload, owner: Owner) -> bool:
        if owner is not Owner.ABANDONED:
            return False
        with transaction(self._engine) as connection:
            since = uploads.find(connection, location, upload).since
        return self._now() - since >= self._abort_after

    def _abort(self, location: Location, store: ObjectStore, upload: PendingUpload) -> bool:
        """True if the store has forgotten it. Azure has not: it drops blocks by itself, a week after the last one."""
        store.resume_upload(key=upload.key, upload_id=upload.upload_id).abort()
        if any(left.upload_id == upload.upload_id for left in store.pending_uploads(prefix=upload.key)):
            return False
        with transaction(self._engine) as connection:
            uploads.aborted(connection, location, upload)
        log.info("abandoned upload aborted", location=location.id.value, key=upload.key, upload=upload.upload_id)
        return True
