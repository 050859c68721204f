"""Locations: what lies there, what was asked of them, and what people and rot do to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from common.adapters.objects.memory import MemoryBucket
from common.domain.location import Location
from common.errors import AccessDenied, StoreUnavailable
from common.ports import Limits, ObjectInfo
from common.topology import COPYING
from invariants import Request
from simulation.decisions import Fault
from simulation.world import Process, World

_EXCUSES = ("pause", "kill", "kill_after", "store_keeps_silent", "stale_answer", "ledger_loses", "ledger_refuses")
"""After one of these a restore may be asked for twice."""


class Act(NamedTuple):
    """Of a worker that copies, at a store."""

    what: str
    key: str
    fence: int
    row: object
    at: float
    claimed_at: float
    """When its claim began."""


@dataclass(eq=False)
class Place:
    """One location: its bucket, what was asked of it, and whether it can be reached. The checker's view of it, too."""

    location: Location
    world: World
    bucket: MemoryBucket
    limits: Limits
    tells_md5: bool = True
    """Of the parts of an upload; a store that does not tells the marks that they were sent with."""
    requests: list[Request] = field(default_factory=list)
    down_until: float = -1.0
    denied_until: float = -1.0
    denied_to: str = ""
    acts: list[Act] = field(default_factory=list)
    """Reads and creations by those who copy."""
    answered: bytes = b""
    """The body that was read last, for a proxy to answer with once more."""
    described: dict[str, ObjectInfo] = field(default_factory=dict)
    """Key → what the first HEAD said."""
    marks: dict[tuple[str, int], str] = field(default_factory=dict)
    """Upload and number of a part → what it was sent with."""
    _restores: dict[str, int] = field(default_factory=dict)
    _looks: dict[str, int] = field(default_factory=dict)
    """Process → when it last looked here, counted in decisions."""
    _told: dict[tuple[str, str], int] = field(default_factory=dict)
    """Process and key → when it last asked for a restore, counted in decisions."""

    def keys(self, prefix: str) -> Iterable[str]:
        return [key for key in self.bucket.objects if key.startswith(prefix)]

    def read(self, key: str) -> bytes:
        return self.bucket.objects[key][-1].data

    def etag(self, key: str) -> str:
        return self.bucket.objects[key][-1].info.etag

    def history(self) -> Sequence[Request]:
        return self.requests

    def note(self, what: str, key: str, process: Process, *, size: int = 0, needless: bool = False) -> None:
        self.requests.append(Request(len(self.requests), what, key, process.name, size, needless))
        self.world.say(f"{what} {self.location.id}/{key}")
        if process.claim is not None and process.claim.stage is COPYING:
            claim = process.claim
            self.acts.append(Act(what, key, claim.fence, claim.row_id, self.world.now, process.claimed_at))

    def made(self, key: str, process: Process, *, size: int) -> None:
        self.note("create" if len(self.bucket.objects[key]) == 1 else "replace", key, process, size=size)

    def refuse_where_due(self, process: Process) -> None:
        if self.world.now < self.down_until:
            raise StoreUnavailable("simulated: the store is down")
        if self.world.now < self.denied_until and process.name.startswith(self.denied_to):
            raise AccessDenied(f"simulated: the credentials of {process.name} for {self.location.id} have expired")

    def looked(self, process: Process) -> None:
        """The process knows from now on what has been asked for until now."""
        self._looks[process.name] = self.world.decisions.asked

    def needless(self, key: str, process: Process) -> bool:
        """Whether the restore that is asked for now is on its way already, and the asker could have known.

        Two bags' workers may find the same frozen object at the same time; the store tells the second one so for
        nothing.
        """
        injected = self.world.decisions.injected
        since = self._restores.get(key)
        knows = max(self._looks.get(process.name, 0), self._told.get((process.name, key), 0))
        # Whoever asks for one object is told of this one, and of no other.
        self._restores[key] = self._told[process.name, key] = self.world.decisions.asked
        if since is not None and knows < since:
            return False
        version = self.bucket.find(key)
        info = self.bucket.described(version)
        ongoing = info.restore is not None and info.restore.ongoing
        excused = any(number >= (since or 0) and fault.kind in _EXCUSES for number, (_, fault) in injected.items())
        return ongoing and not excused


def rewrite(place: Place, key: str, data: bytes) -> None:
    """What people and rot do: the same version with other bytes keeps its ETag (`rot`), a new one has another."""
    old = place.bucket.objects[key][-1]
    place.bucket.put(replace(old.info, restore=None), data)


def rot(place: Place, key: str, value: float) -> None:
    version = place.bucket.objects[key][-1]
    version.data = bytes(flipped(version.data, Fault("rot", value), kind="rot"))


def flipped(data: bytes | memoryview, fault: Fault | None, *, kind: str = "flip_on_write") -> bytes | memoryview:
    if fault is None or fault.kind != kind or not len(data):
        return data
    harmed = bytearray(data)
    bit = int(fault.value * len(harmed) * 8)
    harmed[bit // 8] ^= 1 << bit % 8
    return bytes(harmed)
