"""Reading small objects, such as lists, from the configured stores."""

from __future__ import annotations

from common.domain.location import LocationId
from common.ports import Stores
from ingests_api.surroundings import ReadObject


def reader_of(stores: Stores) -> ReadObject:
    """Reads whole objects; the locations file needs credentials only for locations that lists are read from."""

    def read(location: LocationId, key: str, most: int) -> bytes:
        with stores(location).read(key=key) as body:
            if body.info.size > most:
                raise ValueError(f"it has {body.info.size:,} bytes, at most {most:,} are read")
            return b"".join(bytes(block) for block in body)

    return read
