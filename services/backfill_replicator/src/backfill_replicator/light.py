"""A round of small files: read, hashed and created by one thread, with several requests under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backfill_replicator.labels import labels
from backfill_replicator.transfer import Copied, Ends, Result, Transfer
from common.domain.fixity import digests_of
from common.domain.segment import PlannedFile
from common.errors import AlreadyExists, BackfillError
from common.jobs import Interrupted
from common.measuring import Measuring
from common.memory import cut
from common.ports import New, ObjectInfo, Wanted

_Made = ObjectInfo | BackfillError | None


class LightCopy:
    """Does what goes as it should; the rest is left to :class:`Transfer`, which begins anew and knows what to do."""

    def __init__(self, transfer: Transfer, *, measuring: Measuring, ends: Callable[[PlannedFile], Ends]) -> None:
        self._transfer = transfer
        self._measuring = measuring
        self._ends = ends
        self._met = set[str]()
        """Paths of files where the destination has an object already."""

    def several(self, files: Sequence[PlannedFile], at_once: int) -> list[Copied | None]:
        """What became of each, `at_once` of them under way; None for those that are left to `one`.

        Raises what the checkpoint does; where the process is asked to stop, those that were not read are left.
        """
        if self._transfer.looks_first or self._met:
            return [None] * len(files)
        made = self._round(files, [self._ends(file) for file in files], at_once)
        self._met |= {files[place].path for place, answer in made.items() if isinstance(answer, AlreadyExists)}
        return [
            Copied(file, Result.COPIED) if isinstance(made.get(place), ObjectInfo) else None
            for place, file in enumerate(files)
        ]

    def one(self, file: PlannedFile) -> Copied:
        """As `Transfer.copy`."""
        ends = self._ends(file)
        return self._transfer.met(file, ends) if file.path in self._met else self._transfer.copy(file, ends)

    def _round(self, files: Sequence[PlannedFile], ends: Sequence[Ends], at_once: int) -> dict[int, _Made]:
        """What the destination says to those whose bytes are what the manifests say, by place."""
        most = ends[0].destination.limits.max_single_put
        with self._measuring.memory.holding(sum(file.size for file in files)) as held:
            room = cut(held, [file.size for file in files])
            wanted = [
                Wanted(place.source_key, into, file.etag, file.version_id)
                for file, place, into in zip(files, ends, room, strict=True)
            ]
            told = ends[0].source.fetch_several(wanted, at_once=at_once, going_on=self._going_on)
            read = {
                place: one.answer
                for place, one in enumerate(told)
                if isinstance(one.answer, ObjectInfo) and one.answer.size == files[place].size <= most
            }
            good = {
                place: info
                for place, info in read.items()
                if digests_of(room[place], files[place].checksums) == files[place].checksums
            }
            new = [
                New(ends[place].destination_key, room[place], info.content_type, labels(files[place]))
                for place, info in good.items()
            ]
            made = ends[0].destination.create_several(new, at_once=at_once)
        return dict(zip(good, made, strict=True))

    def _going_on(self) -> bool:
        """What has been read when the process is asked to stop is still to be created; `one` stops before it begins."""
        try:
            self._measuring.checkpoint()
        except Interrupted:
            return False
        return True
