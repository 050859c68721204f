"""What a bag version is called. Rules: the storage service's (docs/glossary.md, "external identifier")."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ALLOWED = re.compile(r"[-_/ .a-zA-Z0-9]+")
_EDGE = re.compile(r"[a-zA-Z0-9]")
_VERSION = re.compile(r"v([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True, order=True)
class Space:
    """A namespace for bags, such as "digitised". Not empty, no slash."""

    value: str

    def __post_init__(self) -> None:
        if not self.value:
            raise ValueError("must not be empty.")
        if "/" in self.value:
            raise ValueError("must not contain slashes.")
        if self.value in (".", "..") or any(ord(c) < 32 or ord(c) == 127 for c in self.value):
            raise ValueError(f"must be a printable name, was {self.value!r}")

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, order=True)
class ExternalIdentifier:
    """The bag's name inside its space, such as "b12345" or "PP/MIA/1"."""

    value: str

    def __post_init__(self) -> None:
        if fault := _identifier_fault(self.value):
            raise ValueError(fault)

    def __str__(self) -> str:
        return self.value


def _identifier_fault(value: str) -> str | None:
    """The first rule that `value` breaks, as a sentence without its subject; None if it breaks none."""
    if not value:
        return "must not be empty."
    rules = (
        (not _ALLOWED.fullmatch(value), "may only contain letters, digits, spaces, and - _ / ."),
        (value.startswith("/") or value.endswith("/"), "must not begin or end with a slash"),
        (not (_EDGE.match(value[0]) and _EDGE.match(value[-1])), "must begin and end with a letter or digit"),
        ("//" in value, "must not contain consecutive slashes"),
        ("  " in value, "must not contain consecutive spaces"),
        (any(part in (".", "..") for part in value.split("/")), "must not contain . or .. as a segment"),
        (value.endswith("/versions"), "must not end with /versions"),
        (bool(re.search(r"/v\d+$", value)), "must not end with a version string"),
        (bool(re.match(r"v\d+/", value)), "must not begin with a version string"),
        (bool(re.search(r"/v\d+/", value)), "must not contain a version string"),
    )
    for broken, text in rules:
        if broken:
            return f"{text}, was {value}"
    return None


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A bag version's number, 1 and up; written "v3"."""

    number: int

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ValueError(f"must be 1 or more, was {self.number}")

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read "v3". Raises ValueError."""
        found = _VERSION.fullmatch(text)
        if not found:
            raise ValueError(f"Cannot parse version string: {text}")
        return cls(int(found.group(1)))

    def __str__(self) -> str:
        return f"v{self.number}"


@dataclass(frozen=True, slots=True, order=True)
class BagVersion:
    """One immutable version of one bag: the thing that has replicas."""

    space: Space
    external_identifier: ExternalIdentifier
    version: Version

    @classmethod
    def of(cls, space: str, external_identifier: str, version: int) -> BagVersion:
        return cls(Space(space), ExternalIdentifier(external_identifier), Version(version))

    @property
    def bag_path(self) -> str:
        """Where all versions of the bag lie below a location's prefix, without a trailing slash."""
        return f"{self.space}/{self.external_identifier}"

    @property
    def path(self) -> str:
        """Where this version lies below a location's prefix, the same at every provider."""
        return f"{self.bag_path}/{self.version}"

    def __str__(self) -> str:
        return self.path
