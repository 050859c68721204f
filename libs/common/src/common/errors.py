"""Everything that can go wrong, as one tree. A class is a sentence; its docstring is the message's beginning.

    BackfillError
    ├── TransientError            may work later: counts an attempt, tried again with back-off
    │   ├── Throttled             the store asks for less; may carry retry_after (seconds)
    │   ├── StoreUnavailable      timeouts, connection resets, 5xx
    │   ├── TruncatedBody         fewer bytes arrived than were promised
    │   ├── DiskFull              no space left for temporary files
    │   ├── BrokerUnavailable
    │   └── LedgerUnavailable
    ├── StoreError                the store answered, and the answer will stay the same
    │   ├── NotFound
    │   ├── AccessDenied
    │   ├── AlreadyExists         a conditional create met an object
    │   ├── Changed               the object is not the one that was pinned
    │   ├── NotRestored           the object is archived and cannot be read
    │   ├── CannotCopy            two stores do not copy from each other by themselves
    │   ├── NameNotAllowed        the provider cannot hold this key
    │   ├── Immutable             a retention policy or legal hold forbids the write
    │   ├── NoCapacity            the store has no room for an Expedited restore now: another tier has
    │   └── RefusedByStore        any other 4xx
    │       ├── NotRestorable     an archived object that this store does not bring back by being asked
    │       └── ArchivedAtDestination   a copy that was archived before it had been proven
    ├── ClaimLost                 another worker holds the row now: drop everything
    ├── NotNow                    a person asks for what cannot be done in this state
    │   ├── AlreadyFinished       what has finished stays as it is
    │   ├── NothingToRetry        nothing waits
    │   ├── AlreadyResolved       somebody has decided about the dead letter
    │   ├── NotRedrivable         there is no work behind the dead letter
    │   └── NotFaster             the thaw is as fast as what was asked for
    └── ConfigurationError        the operator must change a setting

``code`` is stable: it appears in the API, in the ledger and as a heading of ``docs/reference/errors.md``.
"""

from __future__ import annotations

from typing import ClassVar


class BackfillError(Exception):
    """Backfill met something it did not expect."""

    code: ClassVar[str] = "internal_error"
    remedy: ClassVar[str] = "Look at the worker's log; the line carries the ingest id. Then retry the ingest."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class TransientError(BackfillError):
    """This did not work now and may work later."""

    code = "transient"
    remedy = "Nothing to do: it is tried again by itself. If it lasts, look at the store's or broker's status."


class Throttled(TransientError):
    """The store asks us to slow down."""

    code = "throttled"
    remedy = "Work on less at once (BACKFILL_CONCURRENCY, BACKFILL_FILES_AT_ONCE), or ask for a higher limit."

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds the store asked us to wait, if it did."""


class StoreUnavailable(TransientError):
    """The store did not answer, or answered with a server error."""

    code = "store_unavailable"


class TruncatedBody(TransientError):
    """Fewer bytes arrived than the store had promised."""

    code = "truncated_body"


class DiskFull(TransientError):
    """There is no space left for temporary files."""

    code = "disk_full"
    remedy = (
        "Free or add space where the message says (SQLITE_TMPDIR and TMPDIR name the directories): about 300 bytes for"
        " each file of the largest bag. Rows are tried again. The worker is not ready until one went well."
    )


class BrokerUnavailable(TransientError):
    """The message broker cannot be reached."""

    code = "broker_unavailable"
    remedy = "Check the broker's address and state. Nothing is lost: hints wait in the ledger's outbox."


class LedgerUnavailable(TransientError):
    """PostgreSQL cannot be reached."""

    code = "ledger_unavailable"
    remedy = "Check the database's address and state. Work goes on by itself when it is back."


class StoreError(BackfillError):
    """The object store refused, and will refuse again."""

    code = "store_error"


class NotFound(StoreError):
    """There is no such object, bucket or container."""

    code = "not_found"
    remedy = "Check the location's bucket and prefix, and whether the object was deleted."


class AccessDenied(StoreError):
    """The store denies this action to our credentials."""

    code = "access_denied"
    remedy = "Grant the worker's identity the action that the message names, then retry the ingest."


class AlreadyExists(StoreError):
    """An object is already there, and nothing is ever overwritten."""

    code = "already_exists"


class Changed(StoreError):
    """The object is not the one that was planned for: somebody wrote it since."""

    code = "source_changed"
    remedy = "Find out who writes to registered objects. Start a new ingest to plan again from what is there now."


class NotRestored(StoreError):
    """The object lies in an archive class and has not been restored."""

    code = "not_restored"
    remedy = "Nothing to do: it goes back to the bag warmer."


class CannotCopy(StoreError):
    """The destination cannot fetch the object from the source by itself."""

    code = "cannot_copy"
    remedy = (
        "Nothing to do: the worker moves the bytes. To have the stores do it, let the destination's credentials read"
        " the source (S3), or let the source's endpoint be reached from Azure."
    )


class NameNotAllowed(StoreError):
    """The provider cannot hold an object of this name."""

    code = "name_not_allowed"
    remedy = (
        'Choose another destination for this bag, or set names = "map" for the location: then names it cannot hold are'
        " mapped reversibly, and the bag's record shows how. Names are never changed silently."
    )


class Immutable(StoreError):
    """A retention policy or legal hold forbids this write."""

    code = "immutable"
    remedy = "The message names the policy. Nothing was written."


class NoCapacity(StoreError):
    """The store has no capacity for Expedited restores at the moment."""

    code = "no_expedited_capacity"
    remedy = "Nothing to do: another tier is asked for, as the location's thaw.without_capacity says."


class RefusedByStore(StoreError):
    """The store refused the request."""

    code = "refused_by_store"


class NotRestorable(RefusedByStore):
    """The object is archived, and the store does not bring it back by being asked."""

    code = "not_restorable"
    remedy = (
        "Bring the objects back by the provider's own means (Azure: copy or set them to an online tier), or copy from"
        " another location. Then retry the ingest."
    )


class ArchivedAtDestination(RefusedByStore):
    """The copy at the destination was moved to an archive class before it had been proven."""

    code = "archived_at_destination"
    remedy = (
        "Nothing is known to be wrong with the copy. Restore the object there, keep lifecycle rules from archiving what"
        " is younger than a few days, then retry the ingest: what was copied is not copied again."
    )


class ClaimLost(BackfillError):
    """Another worker holds this row now."""

    code = "claim_lost"
    remedy = "Nothing to do: the worker that holds the claim goes on with it."


class NotNow(BackfillError):
    """What was asked for makes no sense in the state that things are in."""

    code = "not_now"
    remedy = "Look at the ingest or dead letter again: somebody, or its work, was faster."


class AlreadyFinished(NotNow):
    """The ingest has finished, and what has finished stays as it is."""

    code = "already_finished"
    remedy = "Retry it if it failed; a new ingest does its work then. One that succeeded needs nothing."


class NothingToRetry(NotNow):
    """Every part of the ingest is being worked on: nothing waits."""

    code = "nothing_to_retry"
    remedy = "Follow it. If its worker has vanished, the next one takes over when the lease ends."


class AlreadyResolved(NotNow):
    """Somebody has decided about this dead letter."""

    code = "already_resolved"
    remedy = "Look at the dead letter: it names who decided what, and why."


class NotRedrivable(NotNow):
    """There is no work behind this dead letter that could be done again."""

    code = "not_redrivable"
    remedy = "Find out who published the message, then discard the dead letter with that as the reason."


class NotFaster(NotNow):
    """What thaws, thaws as fast already."""

    code = "not_faster"
    remedy = "Name a faster tier: Expedited, Standard and Bulk, the fastest first. A restore is never made slower."


class ConfigurationError(BackfillError):
    """A setting is missing or wrong."""

    code = "configuration"
    remedy = "The message names the setting, its value and what it must be."
