"""What reports are asked about."""

from __future__ import annotations

from bag_register.surroundings import Surroundings
from common.ledger.engine import transaction
from common.ledger.locations import every_location
from common.web.answers import Refused


def known_location(around: Surroundings, wanted: str) -> str:
    """The id, where there is such a location. Raises Refused, which names those that there are."""
    with transaction(around.engine) as connection:
        known = [location.id.value for location in every_location(connection)]
    if wanted not in known:
        listed = ", ".join(known)
        raise Refused(400, f'Invalid value at ?location: got "{wanted}", valid values are: {listed}.')
    return wanted
