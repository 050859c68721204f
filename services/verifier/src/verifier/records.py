"""What reading again asks the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from common.domain.replica import EvidenceClass
from common.jobs import Attempt, ReadBefore
from common.ledger.engine import transaction
from common.ledger.fixity import checking, recorded
from common.ledger.locations import every_location
from common.outcome import Evidence
from verifier.places import Places


class LedgerRecords:
    """A transaction for each call, on the primary."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(
        self, *, check_id: int, before: str | None, after: str, found: Sequence[Evidence], attempt: Attempt
    ) -> None:
        """Keep evidence and move the check's place, all or nothing. Raises ClaimLost where somebody else did."""
        with transaction(self._engine) as connection:
            checking.note(connection, check_id=check_id, before=before, after=after, found=found, attempt=attempt)

    def bad(self, check_id: int) -> tuple[int, int, int]:
        """Of the check so far: files looked at, bad ones, and those that were not read."""
        with transaction(self._engine) as connection:
            check = checking.find_check(connection, check_id)
        assert check is not None, "checks are never deleted"
        return check.files, check.bad, check.unread

    def weakest(self, check_id: int) -> EvidenceClass:
        """What is shown of all files of the copy by the check so far."""
        with transaction(self._engine) as connection:
            return recorded.weakest(connection, check_id)

    def read_before(self, check_id: int, keys: Sequence[str]) -> dict[str, ReadBefore]:
        """By key, what is recorded of those objects of the copy that were read back and agreed."""
        with transaction(self._engine) as connection:
            return {found.key: found for found in recorded.of_keys(connection, check_id=check_id, keys=keys)}

    def every_read_before(self, check_id: int, *, after: str, limit: int) -> list[ReadBefore]:
        """The same of all objects of the copy, by key, behind the key `after`."""
        with transaction(self._engine) as connection:
            return recorded.page(connection, check_id=check_id, after=after, limit=limit)

    def places(self) -> Places:
        """How URLs of fetch.txt are resolved."""
        with transaction(self._engine) as connection:
            return Places(every_location(connection))
