"""Questions to a store: may this service do here what it has to?

Nothing can be deleted through the port, so that one fixed key serves every run: whoever finds it there has the proof
that nothing is overwritten. It is no bag: imports pass it over.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from common.domain.location import Location, Provider
from common.errors import AccessDenied, AlreadyExists, Immutable, NotFound, NotRestored, RefusedByStore
from common.ports import ColdStore, ObjectInfo, ObjectStore, Tier
from common.probing.findings import Finding, Verdict, asked

FOLDER = ".backfill-probe/"
WRITTEN = FOLDER + "put-if-absent"
MISSING = FOLDER + "no-such-object"
"""Never written: stores decide about the right before they look for the object."""
TEXT = b"Written by Backfill to see whether it may write here. Leave it: the next check needs it.\n"
_SAMPLE = 100
"""So many objects are looked at for one that has a byte to read."""

_READER = "the role Storage Blob Data Reader, or a SAS with "
_WRITER = "the role Storage Blob Data Contributor, or a SAS with create and write (c, w)"
_GRANTS = {
    Provider.AMAZON_S3: {
        "list": "s3:ListBucket",
        "read": "s3:GetObject and s3:GetObjectVersion (and kms:Decrypt where the bucket is encrypted so)",
        "thaw": "s3:RestoreObject and s3:ListBucket",
        "create": "s3:PutObject",
        "upload": "s3:PutObject, s3:ListMultipartUploadParts and s3:AbortMultipartUpload",
        "unfinished": "s3:ListBucketMultipartUploads",
    },
    Provider.AZURE_BLOB: {
        "list": _READER + "list (l)",
        "read": _READER + "read (r)",
        "create": _WRITER,
        "upload": _WRITER,
        "unfinished": _READER + "list (l)",
    },
}


@dataclass(frozen=True, slots=True)
class Place:
    """A location as one service can reach it."""

    location: Location
    store: ObjectStore
    cold: ColdStore | None = None
    known: str | None = None
    """Key of an object that is there as far as the ledger knows: proves reading where listing is not allowed."""
    archives: bool = False
    """Whether bags there are configured to be archived."""

    def key(self, name: str) -> str:
        return self.location.prefix + name


StoreProbe = Callable[[Place], Finding]


def can_list(place: Place) -> Finding:
    """What planning, aggregating and importing begin with."""

    def question() -> Finding:
        some = list(islice(place.store.list(prefix=place.location.prefix), 1))
        return _ok(place, "list", "" if some else "there is nothing yet")

    return _asked(place, "list", question)


def can_read(place: Place) -> Finding:
    """Reads one byte of something that is there; where nothing is, only whether reading is denied."""

    def question() -> Finding:
        denied: AccessDenied | None = None
        for key in filter(None, (place.known, place.key(WRITTEN))):
            try:
                return _ok(place, "read", _read(place, key))
            except AccessDenied as error:
                denied = error
            except NotFound:
                pass
        try:
            sample = _sample(place)
        except AccessDenied:
            return _unlisted(place, denied)
        if sample is not None:
            return _ok(place, "read", _read(place, sample.key))
        if denied is not None:
            raise denied
        return _ok(place, "read", "nothing is there to be read, and reading is not denied")

    return _asked(place, "read", question)


def _unlisted(place: Place, denied: AccessDenied | None) -> Finding:
    """S3 denies objects that are not there to whoever may not list."""
    if denied is None:
        return _ok(place, "read", "reading is not denied")
    if place.location.provider is not Provider.AMAZON_S3 or place.known is not None:
        raise denied
    return Finding(
        _name(place, "read"),
        Verdict.WARNING,
        f"cannot be told: {denied}. That is also the answer where nothing is there and listing is not allowed",
        "Check again when a bag is registered there. " + _grant(place, "read"),
    )


def can_thaw(place: Place) -> Finding:
    """Asks for an object that does not exist: the answer tells the right, and nothing is thawed or paid for."""

    def question() -> Finding:
        if place.cold is None:
            return _ok(place, "thaw", "nothing is archived by this provider")
        try:
            place.cold.restore(key=place.key(MISSING), version_id=None, days=1, tier=Tier.BULK)
        except NotFound:
            return _ok(place, "thaw")
        except RefusedByStore as error:
            if place.archives:
                raise
            return Finding(_name(place, "thaw"), Verdict.WARNING, f"nothing archived can be read here: {error}")
        return _ok(place, "thaw")

    return _asked(place, "thaw", question)


def can_create(place: Place) -> Finding:
    """Writes an object if it is not there, then again: the second must be refused."""

    def question() -> Finding:
        with suppress(AlreadyExists):
            _create(place)
        try:
            _create(place)
        except AlreadyExists:
            return _ok(place, "create", "and nothing is overwritten")
        return _overwrites(place, "create")

    return _asked(place, "create", question)


def can_upload(place: Place) -> Finding:
    """Sends an object in parts to a key that is taken: finishing it must be refused. Then aborts it."""

    def question() -> Finding:
        with suppress(AlreadyExists):
            _create(place)
        upload = place.store.begin_upload(key=place.key(WRITTEN))
        try:
            part = upload.put_part(1, TEXT)
            upload.parts()
            upload.commit([part])
        except AlreadyExists:
            return _ok(place, "upload", "in parts, and nothing is overwritten")
        finally:
            upload.abort()
        return _overwrites(place, "upload")

    return _asked(place, "upload", question)


def can_see_unfinished(place: Place) -> Finding:
    """Uploads that nobody finished cost money until they are found."""

    def question() -> Finding:
        try:
            list(islice(place.store.pending_uploads(prefix=place.location.prefix), 1))
        except (AccessDenied, RefusedByStore) as error:
            told = f"uploads that nobody finished will not be found: {error}"
            return Finding(_name(place, "unfinished"), Verdict.WARNING, told, _grant(place, "unfinished"))
        return _ok(place, "unfinished", "uploads can be listed")

    return _asked(place, "unfinished", question)


def cannot_write(place: Place) -> Finding:
    """Who verifies should not be able to change what it verifies."""

    def question() -> Finding:
        try:
            _create(place)
        except (AccessDenied, Immutable):
            return _ok(place, "read-only", "writing is denied, as it should be")
        except AlreadyExists:
            pass
        return Finding(
            _name(place, "read-only"),
            Verdict.WARNING,
            "this service only reads here, and its credentials can write",
            "Give it credentials of its own that can only read and list: then its word is independent.",
        )

    return _asked(place, "read-only", question)


def _asked(place: Place, right: str, question: Callable[[], Finding]) -> Finding:
    def informed() -> Finding:
        try:
            return question()
        except AccessDenied as error:
            return Finding(_name(place, right), Verdict.FAILED, str(error), _grant(place, right))

    return asked(_name(place, right), informed)


def _grant(place: Place, right: str) -> str:
    location = place.location
    where = f"{location.bucket}/{location.prefix}"
    grants = _GRANTS.get(location.provider, {}).get(right)
    if grants is None:
        return f"Let the user that this service runs as {right} in {where}."
    aside = " If nothing shall be copied there, name the destinations: --destination, or BACKFILL_DESTINATIONS."
    return f"Grant this service's identity {grants} on {where}." + (aside if right in ("create", "upload") else "")


def _sample(place: Place) -> ObjectInfo | None:
    found = islice(place.store.list(prefix=place.location.prefix), _SAMPLE)
    return next((info for info in found if info.size), None)


def _read(place: Place, key: str) -> str:
    """Read a byte as the services do, of the version that is there now; what it was."""
    version_id = place.store.head(key=key).version_id
    try:
        with place.store.read(key=key, length=1, version_id=version_id) as body:
            for _ in body:
                pass
    except NotRestored:
        return f"{key} is archived; reading it is not denied"
    return f"a byte of {key}"


def _create(place: Place) -> None:
    place.store.create(key=place.key(WRITTEN), data=TEXT, content_type="text/plain", metadata={"purpose": "probe"})


def _name(place: Place, right: str) -> str:
    return f"{place.location.id}: {right}"


def _ok(place: Place, right: str, message: str = "") -> Finding:
    return Finding(_name(place, right), Verdict.OK, message)


def _overwrites(place: Place, right: str) -> Finding:
    return Finding(
        _name(place, right),
        Verdict.FAILED,
        "the store overwrote an object although it was told not to",
        "Do not use this store: copies there are not safe. Ask its maker for conditional writes (If-None-Match: *).",
    )
