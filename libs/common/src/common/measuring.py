"""Hashing an object's bytes: small ones in one piece, large ones by ranges, and never more memory than allowed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from common.domain.fixity import Checksums, MultiHasher
from common.memory import Memory
from common.pools import Pools
from common.ports import ObjectInfo, ObjectStore
from common.records import record

WHOLE = 8 << 20
"""Bytes: objects up to this are fetched in one piece, larger ones in ranges of this."""

RANGES_AT_ONCE = 4
"""Of one object."""


@record
class Measured:
    """What an object's bytes are."""

    info: ObjectInfo
    hasher: MultiHasher


@record
class Measuring:
    """How a process measures objects. Safe to share between threads."""

    memory: Memory
    checkpoint: Callable[[], None]
    pools: Pools = ThreadPoolExecutor

    def going_on(self) -> bool:
        """For stores that ask before each of several requests. Raises what `checkpoint` does."""
        self.checkpoint()
        return True

    def hashed(self, store: ObjectStore, *, key: str, size: int, algorithms: Checksums) -> Measured:
        """Every byte of the object, hashed. `size` is what it should have; another is no error here.

        Raises what `ObjectStore.read` raises.
        """
        found = (
            self._whole(store, key, size, algorithms) if size <= WHOLE else self._ranged(store, key, size, algorithms)
        )
        return found or self._streamed(store, key, algorithms)

    def _whole(self, store: ObjectStore, key: str, size: int, algorithms: Checksums) -> Measured | None:
        hasher = MultiHasher(algorithms)
        with self.memory.holding(size) as into:
            info = store.fetch(key=key, into=into)
            if info is None:
                return None
            hasher.update(into[: info.size])
        return Measured(info, hasher)

    def _ranged(self, store: ObjectStore, key: str, size: int, algorithms: Checksums) -> Measured | None:
        """None where the object has another size, or changed: the stream says what is there."""
        # Imported here: only large objects need it.
        from common.ranges import Ranges, in_ranges

        hasher, infos = MultiHasher(algorithms), list[ObjectInfo]()

        def get(first: int, into: memoryview) -> None:
            self.checkpoint()
            infos.append(store.read_into(key=key, into=into, first=first))

        try:
            in_ranges(
                Ranges(size, WHOLE),
                get=get,
                use=hasher.update,
                memory=self.memory,
                pools=self.pools,
                workers=RANGES_AT_ONCE,
            )
        except ValueError:
            return None
        same = len({info.etag for info in infos}) == 1 and infos[0].size == size
        return Measured(infos[0], hasher) if same else None

    def _streamed(self, store: ObjectStore, key: str, algorithms: Checksums) -> Measured:
        hasher = MultiHasher(algorithms)
        with store.read(key=key) as body:
            for block in body:
                self.checkpoint()
                hasher.update(block)
            return Measured(body.info, hasher)
