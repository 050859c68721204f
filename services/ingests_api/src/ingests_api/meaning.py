"""The bag versions that a request means."""

from __future__ import annotations

from typing import NoReturn

from sqlalchemy import Connection

from common.ledger.bags import BagName, BagRecord, find_bags, find_versions
from common.web.answers import Refused
from ingests_api.request import Wanted

_MOST_NAMED = 20


def named(wanted: Wanted) -> BagName:
    """The one that is meant where the request does not mean every version."""
    return BagName(wanted.space, wanted.external_identifier, wanted.version)


def every_bag(connection: Connection, wanted: Wanted) -> list[BagRecord]:
    """The version that is meant; or all of them, the oldest first, since later ones may need files of earlier ones.

    Raises Refused (404).
    """
    names = _versions(connection, wanted) if wanted.every_version else []
    found = find_bags(connection, names or [named(wanted)])
    return [bag or unknown(connection, wanted) for bag in found]


def unknown(connection: Connection, wanted: Wanted) -> NoReturn:
    """Raises Refused (404), which says what there is instead."""
    space, identifier = wanted.space, wanted.external_identifier
    name = f"{space}/{identifier}"
    versions = [str(v) for v, _ in find_versions(connection, space=space, external_identifier=identifier)]
    if versions:
        listed = ", ".join(versions[:_MOST_NAMED])
        raise Refused(404, f"Bag {name} has no version {wanted.version}. Registered versions: {listed}.")
    raise Refused(
        404,
        f"Bag {name} is not registered. Check .space.id and .bag.info.externalIdentifier, "
        "or import the location that holds it: POST /imports to the bag register.",
    )


def _versions(connection: Connection, wanted: Wanted) -> list[BagName]:
    space, identifier = wanted.space, wanted.external_identifier
    found = find_versions(connection, space=space, external_identifier=identifier)
    return [BagName(space, identifier, version) for version, _ in reversed(found)]
