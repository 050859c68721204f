"""Where the files of a bag lie below its root, those of earlier versions included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from common.domain.bag import BagVersion
from common.domain.bagit.joined import PlannedFile as ReadFile
from common.domain.fetched import NotOurs, fetched_from
from common.domain.location import Location
from common.domain.naming import Names
from common.domain.segment import PlannedFile
from common.errors import NotFound
from common.ports import ObjectStore


@dataclass(frozen=True, slots=True)
class Places:
    """Resolves what fetch.txt says; no URL is ever followed."""

    locations: Sequence[Location]
    """Every location there is: a URL may name any of them."""

    def planned(
        self, file: ReadFile, *, bag: BagVersion, location: Location, store: ObjectStore, names: Names
    ) -> PlannedFile:
        """The file as it is to be read at `location`. Size 0 where it is to be fetched and is not there."""
        if file.url is None:
            key, length = f"{bag.version}/{file.key}", file.size
        else:
            key = self._elsewhere(file, bag)
            length = (
                file.size if file.size is not None else _size(store, f"{location.bag_root(bag)}/{names.stored(key)}")
            )
        return PlannedFile(
            path=file.path,
            key_path=key,
            size=length or 0,
            checksums=dict(file.checksums),
            etag=file.etag or "",
            version_id=file.version_id,
            storage_class=file.storage_class,
            fetched=file.url is not None,
        )

    def _elsewhere(self, file: ReadFile, bag: BagVersion) -> str:
        assert file.url is not None
        try:
            return fetched_from(file.url, bag=bag, locations=self.locations).key_path
        except NotOurs:
            # The register let it in, so its location is configured no more: the file cannot be there then.
            return f"{bag.version}/{file.key}"


def _size(store: ObjectStore, key: str) -> int:
    try:
        return store.head(key=key).size
    except NotFound:
        return 0
