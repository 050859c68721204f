"""Why an ingest or an import failed: every code that steps and the ledger give of their own, with what to do.

Codes of the error tree (:mod:`common.errors`) and of bags (:mod:`common.domain.problem`) may end an ingest too.
Together the three tables are docs/reference/errors.md; tests/architecture holds them to the sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """What a code means, for the documentation and for people."""

    meaning: str
    """One sentence."""
    remedy: str
    """What the operator or the owner of the bag can do."""


FAILURES: Mapping[str, Failure] = {
    # planning and thawing
    "manifest_changed": Failure(
        "The bag's manifests are not, byte for byte, the ones the bag was registered with.",
        "Find out who wrote to the bag. Compare the named files with another copy; nothing was copied from them.",
    ),
    "source_vanished": Failure(
        "An object of the bag is not at the source any more.",
        "Find the object (a delete marker, a lifecycle rule, a moved prefix), put it back and start a new ingest.",
    ),
    "fetch_outside_bag": Failure(
        "fetch.txt names a URL that does not lead to an earlier version of the same bag in a known location.",
        "Correct the location's settings if the place is ours; otherwise complete the bag and register it anew.",
    ),
    "needs_earlier_version": Failure(
        "The bag version has files that lie in an earlier version, and that one is not at the destination.",
        "Backfill the named version to the same destination first, then start a new ingest.",
    ),
    # listening
    "not_an_event": Failure(
        "A message on a queue of restore events is nothing that S3, SNS or EventBridge sends.",
        "Find out who writes to the queue; only the bucket's notifications should. Then discard the dead letter.",
    ),
    # importing
    "path_not_understood": Failure(
        "A bagit.txt lies where no bag version can lie: the path is not the location's layout.",
        "Move or rename the bag, then import again. The other bags of the import are not affected.",
    ),
    "identifier_differs": Failure(
        "bag-info.txt has another External-Identifier than the bag's path.",
        "Move the bag to the place that its identifier names, or correct the bag, then import again.",
    ),
    "fetch_target_missing": Failure(
        "A file of fetch.txt is not where it should be in the location that is imported.",
        "Find the earlier version's object and put it back. All versions of a bag lie together in one location.",
    ),
    "fetch_target_size": Failure(
        "A file of fetch.txt has another size where it lies than fetch.txt says.",
        "Compare the earlier version with another copy: one of the two has changed.",
    ),
    "conflict": Failure(
        "Another bag, with other manifests, is registered under this name and version.",
        "The register keeps what it has. Find out which of the two is right; give the other one another version.",
    ),
    "duplicate": Failure(
        "The same bag is registered already, with another location as its primary one.",
        "Nothing to do, or backfill it to this location: what lies here is found there, read back and registered.",
    ),
    "inventory_not_understood": Failure(
        "The inventory cannot be used: a file is missing or damaged, or it lacks a column.",
        "Name the manifest.json of a complete inventory with Size and ETag, as CSV or Parquet (an extra).",
    ),
    "manifest_not_understood": Failure(
        "An object is not a storage manifest that can be read.",
        "Leave it out of the prefix, or correct it. The other manifests are not affected.",
    ),
    "other_location": Failure(
        "A storage manifest names another primary location than the one that is imported.",
        "Import the location that it names.",
    ),
    "record_differs": Failure(
        "What lies at the location is not what the storage manifest says: other files, sizes or digests.",
        "Compare both with another copy. The bag is not registered: one of the two is wrong.",
    ),
    "replica_not_listed": Failure(
        "A copy that a storage manifest names is not taken over: unknown, or its names or sizes are others.",
        "Configure the location, or backfill the bag there: what lies there is found, read back and registered.",
    ),
    "object_outside_bags": Failure(
        "Objects lie where they belong to no bag.",
        "Nothing to do: they are left alone. Move them if they are part of a bag.",
    ),
    "would_register": Failure(
        "Not a problem: a look without registering found a bag that an import would register.",
        "Import the location to register it.",
    ),
    "import_part_failed": Failure(
        "A part of an import failed; what the other parts found is registered.",
        "The dead letters say why. Put it right, then import again: what is registered is known.",
    ),
    # copying
    "source_digest_mismatch": Failure(
        "A file at the source does not hash to what the bag's manifests say, read twice; nothing of it was written.",
        "The source copy is damaged. Restore the file from another copy before anything else is done with this bag.",
    ),
    "destination_differs": Failure(
        "Another object already lies at the destination under a file's name; it was left as it is.",
        "Find out where it came from. Backfill never overwrites: move it away by hand, then start a new ingest.",
    ),
    "too_large_for_destination": Failure(
        "A file is larger than the destination's provider can hold in one object.",
        "Choose another destination for this bag: files are never split.",
    ),
    # verifying and aggregating
    "replica_digest_mismatch": Failure(
        "A file read back from the destination is missing there or does not hash to the bag's manifests.",
        "The copy is not registered; the evidence names every bad file. Move the bad objects away by hand and retry.",
    ),
    "replica_incomplete": Failure(
        "Not every file of the plan has evidence that all its bytes were read back and agreed.",
        "This should not happen: keep the ingest's id and report it. Then start a new ingest.",
    ),
    "replica_not_whole": Failure(
        "The destination lists objects that were not verified, lacks some that were, or some were written since.",
        "The message names the keys. Find out who writes below the bag's prefix, put it right, start a new ingest.",
    ),
    # the ledger
    "attempts_exhausted": Failure(
        "A row met a temporary error at every attempt it is allowed.",
        "The history has the last error. Put its cause right, then start a new ingest: what is copied is kept.",
    ),
    "worker_vanished": Failure(
        "Workers vanished while they held the row: one after another, or the one of the last attempt.",
        "Look for out-of-memory kills and restarts at these times; the reason names the stage and the largest file."
        " Give the service more memory, or fewer rows at once, then start a new ingest.",
    ),
    "went_back_too_often": Failure(
        "Restored copies expired again and again before they were copied.",
        "Raise BACKFILL_THAW_DAYS, or run more replicators, then start a new ingest.",
    ),
    "cancelled": Failure(
        "Somebody cancelled the ingest; the history says who and why, and what it had asked of the stores by then.",
        "Nothing. What was copied stays, unregistered, and is recognised if the same copy is asked for again.",
    ),
    "failed_by_operator": Failure(
        "Somebody ended the ingest by hand, because it would not have come right; the history says who and why.",
        "Put right what the reason names, then retry the ingest: a new one does its work again.",
    ),
    "not_a_hint": Failure(
        "A queue held a message that is not one of ours; it was put aside as a dead letter.",
        "Find out who else publishes to the queue. No work depends on the message: the ledger repeats its own hints.",
    ),
}
"""Every code, in the order of the pipeline."""
