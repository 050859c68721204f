"""Reading an ingest request: which document means what, and what is said about any other.

The wording and the order of the faults are the storage service's, which existing clients show to people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from common.domain.bag import ExternalIdentifier, Space, Version
from common.domain.ingest import IngestType
from common.domain.location import Provider
from common.web.fields import Fields, Invalid
from ingests_api.options import NO_OPTIONS, Options, read_options

_TYPES = ", ".join(kind.value for kind in IngestType)
_OFFERED = (Provider.AMAZON_S3, Provider.AZURE_BLOB)
_OLD_NAMES = dict.fromkeys(("aws-s3-standard", "aws-s3-ia", "aws-s3-glacier"), Provider.AMAZON_S3)
_PROVIDERS = {provider.value: provider for provider in Provider} | _OLD_NAMES
_WORDS = ("latest", "all")
"""What a version may be instead of "v3"."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the request says that the bag lies: by a location's id, or by its address."""

    id: str | None = None
    provider: Provider | None = None
    bucket: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A well-formed request for a backfill."""

    space: Space
    external_identifier: ExternalIdentifier
    version: Version | None = None
    """None: the latest."""
    every_version: bool = False
    source: Source | None = None
    destination: str | None = None
    destinations: tuple[str, ...] = ()
    """Given instead of `destination`."""
    options: Options = NO_OPTIONS
    callback_url: str | None = None

    @property
    def several(self) -> bool:
        """Whether the answer is a list, however many ingests it comes to."""
        return self.every_version or bool(self.destinations)


def parse(document: Any) -> Wanted:
    """Read a request. Raises Invalid: with every missing field at once, or with the first value that is wrong."""
    fields = Fields(document)
    kind = fields.peek("ingestType", "id")
    source = _source(fields, required=kind in ("create", "update"))
    callback = fields.text("callback", "url") if fields.has("callback") else None
    kind = fields.text("ingestType", "id")
    if kind is not None and kind not in list(IngestType):
        fields.fault(f'Invalid value at .ingestType.id: got "{kind}", valid values are: {_TYPES}.')
    space = fields.text("space", "id")
    identifier = fields.text("bag", "info", "externalIdentifier")
    version = fields.text("bag", "info", "version", required=False)
    destination = fields.text("destination", "id") if fields.has("destination") else None
    destinations = _destinations(fields)
    options = fields.values("options")
    fields.check()
    assert kind is not None
    assert space is not None
    assert identifier is not None
    named = _named(space, identifier, source, kind)
    return Wanted(
        *named,
        version=None if version in _WORDS else _version(version),
        every_version=version == "all",
        source=_resolved(source),
        destination=destination,
        destinations=destinations,
        options=read_options(options),
        callback_url=_callback(callback),
    )


def _destinations(fields: Fields) -> tuple[str, ...]:
    given = fields.peek("destinations")
    if given is None:
        return ()
    if not isinstance(given, list) or not given or not all(_is_place(one) for one in given):
        fields.fault('Invalid value at .destinations: must be a list such as [{"id": "azure"}].')
        return ()
    names = tuple(one["id"] for one in given)
    if fields.has("destination"):
        fields.fault("Invalid value at .destinations: give either destination or destinations.")
    if len(set(names)) != len(names):
        fields.fault("Invalid value at .destinations: names a location twice.")
    return names


def _is_place(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("id"), str) and bool(one["id"])


def _source(fields: Fields, *, required: bool) -> dict[str, str | None] | None:
    if not fields.has("sourceLocation") and not required:
        return None
    if fields.has("sourceLocation", "id"):
        return {"id": fields.text("sourceLocation", "id")}
    if not fields.has("sourceLocation"):
        fields.text("sourceLocation")
        return None
    return {
        "provider": fields.text("sourceLocation", "provider", "id"),
        "bucket": fields.text("sourceLocation", "bucket"),
        "path": fields.text("sourceLocation", "path"),
    }


def _named(
    space: str, identifier: str, source: dict[str, str | None] | None, kind: str
) -> tuple[Space, ExternalIdentifier]:
    named_space = _value(".space.id", Space, space)
    if not identifier:
        raise Invalid("Invalid value at .bag.info.externalIdentifier: must not be empty.")
    _check_provider(source, new_bag=kind != IngestType.BACKFILL)
    named_bag = _value(".bag.info.externalIdentifier", ExternalIdentifier, identifier)
    if kind != IngestType.BACKFILL:
        raise Invalid(
            f'Unsupported value at .ingestType.id: got "{kind}", and this service carries out backfill only. '
            "Send new bags and updates to the storage service."
        )
    return named_space, named_bag


def _value(place: str, make: Any, text: str) -> Any:
    try:
        return make(text)
    except ValueError as error:
        raise Invalid(f"Invalid value at {place}: {error}") from None


def _check_provider(source: dict[str, str | None] | None, *, new_bag: bool) -> None:
    provider = (source or {}).get("provider")
    if provider is None:
        return
    place = ".sourceLocation.provider.id"
    if provider not in _PROVIDERS:
        offered = ", ".join(known.value for known in _OFFERED)
        raise Invalid(f'Unrecognised value at {place}: got "{provider}", valid values are: {offered}.')
    if new_bag and _PROVIDERS[provider] is not Provider.AMAZON_S3:
        raise Invalid(f"Forbidden value at {place}: only amazon-s3 is supported for new bags.")


def _resolved(source: dict[str, str | None] | None) -> Source | None:
    if source is None:
        return None
    if "id" in source:
        return Source(id=source["id"])
    provider = _PROVIDERS[source["provider"] or ""]
    return Source(provider=provider, bucket=source["bucket"] or "", path=(source["path"] or "").rstrip("/"))


def _version(text: str | None) -> Version | None:
    return None if text is None else _value(".bag.info.version", Version.parse, text)


def _callback(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        good = False
    if not good:
        raise Invalid(f'Invalid value at .callback.url: got "{url}", must be an absolute http or https address.')
    return url
