"""A large file in parts: a directory per upload, one file per part."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from common.adapters.objects.local.errors import translated
from common.adapters.objects.local.places import PRIVATE
from common.adapters.objects.local.writing import create_file
from common.errors import NotFound
from common.ports import ObjectInfo, PartReceipt, PendingUpload

_BLOCK = 1024 * 1024
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class LocalUpload:
    """Upload over a directory."""

    root: Path
    key: str
    id: str

    def put_part(
        self,
        number: int,
        data: bytes | memoryview,
        *,
        mark: str = "",  # noqa: ARG002 - the bytes are at hand
    ) -> PartReceipt:
        with translated(self.key):
            self._plan()
            # Its own name first: a part is whole or absent, and the last writer of a number wins.
            unfinished = self._place() / f"{number:06}.{secrets.token_hex(4)}"
            with unfinished.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(self._place() / f"{number:06}")
        return PartReceipt(number, len(data), str(number))

    def parts(self) -> list[PartReceipt]:
        try:
            files = [file for file in self._place().iterdir() if file.name.isdecimal()]
        except (FileNotFoundError, NotFound):
            return []
        return [PartReceipt(int(f.name), f.stat().st_size, str(int(f.name)), _md5(f)) for f in sorted(files)]

    def commit(
        self,
        parts: Sequence[PartReceipt],
        *,
        content_md5: bytes | None = None,  # noqa: ARG002 - nothing to store it in
    ) -> ObjectInfo:
        with translated(self.key):
            plan = self._plan()
            numbers = sorted(part.number for part in parts)
            if missing := [n for n in numbers if not (self._place() / f"{n:06}").is_file()]:
                raise NotFound(f"{self.key}: upload {self.id} has no part {missing[0]}")
            info = create_file(
                root=self.root,
                key=self.key,
                blocks=self._blocks(numbers),
                content_type=plan["content_type"],
                metadata=plan["metadata"],
            )
        self.abort()
        return info

    def abort(self) -> None:
        shutil.rmtree(self.root / PRIVATE / "uploads" / self.id, ignore_errors=True)

    def _place(self) -> Path:
        if not _ID.fullmatch(self.id):
            raise NotFound(f"{self.key}: there is no upload {self.id!r}")
        return self.root / PRIVATE / "uploads" / self.id

    def _plan(self) -> dict[str, Any]:
        try:
            plan: dict[str, Any] = json.loads((self._place() / "plan.json").read_text("utf-8"))
        except FileNotFoundError:
            plan = {}
        if plan.get("key") != self.key:
            raise NotFound(f"{self.key}: there is no upload {self.id}; it was committed or aborted")
        return plan

    def _blocks(self, numbers: Sequence[int]) -> Iterator[bytes]:
        for number in numbers:
            with (self._place() / f"{number:06}").open("rb") as file:
                while block := file.read(_BLOCK):
                    yield block


def _md5(part: Path) -> str:
    with part.open("rb") as file:
        return hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def begin(*, root: Path, key: str, content_type: str | None, metadata: dict[str, str] | None) -> LocalUpload:
    upload = LocalUpload(root, key, secrets.token_hex(8))
    place = root / PRIVATE / "uploads" / upload.id
    place.mkdir(parents=True)
    plan = {"key": key, "content_type": content_type, "metadata": metadata}
    (place / "plan.json").write_text(json.dumps(plan), "utf-8")
    return upload


def pending(*, root: Path, prefix: str) -> Iterator[PendingUpload]:
    for plan in sorted((root / PRIVATE / "uploads").glob("*/plan.json")):
        key = json.loads(plan.read_text("utf-8"))["key"]
        if key.startswith(prefix):
            started_at = datetime.fromtimestamp(plan.stat().st_mtime, UTC)
            yield PendingUpload(key, plan.parent.name, started_at)
