"""How `backfill check` grows: `python -m benchmarks.checking FILES [SHARE]` checks a copy of so many files.

SHARE of its files are read (0.01: a hundredth; left out: names and sizes only). The copy is listed and read from a
store that makes it up, so that time and memory are the checker's own. Prints JSON; peak memory in MiB.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from collections.abc import Iterator
from functools import partial

from backfill_check.depth import LIST, Depth
from backfill_check.findings import Finding
from backfill_check.judging import Place
from backfill_check.register import Copy, Target
from backfill_check.running import State, Wish, run
from backfill_check.stores import Listed
from common.domain.bag import BagVersion
from common.domain.location import Location, LocationId, Provider
from common.domain.naming import Names

_BAG = BagVersion.of("bench", "million", 1)
_ROOT = f"{_BAG.path}/"
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_MANIFEST, _SEAL = "manifest-sha256.txt", "tagmanifest-sha256.txt"
_MOST = 200
"""MiB."""


class MadeUpCopy:
    """A store with one bag of so many files, and the register that has it. Each file holds its own name."""

    def __init__(self, files: int) -> None:
        self.files = files
        self._payload_bytes = sum(len(_path(number)) for number in range(files))
        info = f"External-Identifier: million\nPayload-Oxum: {self._payload_bytes}.{files}\n".encode()
        self._tags = {"bag-info.txt": info, "bagit.txt": _DECLARATION}
        digest, self._manifest_size = hashlib.sha256(), 0
        for block in self._manifest():
            digest.update(block)
            self._manifest_size += len(block)
        self.pins = {name: _sha256(data) for name, data in self._tags.items()} | {_MANIFEST: digest.hexdigest()}
        seal = "".join(f"{value}  {name}\n" for name, value in self.pins.items()).encode()
        self._tags[_SEAL] = seal
        self.pins[_SEAL] = _sha256(seal)

    def list(self, prefix: str, *, after: str = "") -> Iterator[Listed]:
        for path, size in self._sizes():
            if _ROOT + path > after and (_ROOT + path).startswith(prefix):
                yield Listed(_ROOT + path, size, "etag")

    def size(self, key: str) -> int:
        return len(key.removeprefix(_ROOT))

    def read(self, key: str) -> Iterator[bytes]:
        path = key.removeprefix(_ROOT)
        if path == _MANIFEST:
            return self._manifest()
        return iter([self._tags.get(path, path.encode())])

    def copies(
        self, location: str, target: Target, *, oldest_first: bool, after: tuple[str, ...] | None
    ) -> Iterator[Copy]:
        del location, target, oldest_first, after
        yield Copy(1, _BAG, _ROOT, self.pins, self.files, self._payload_bytes, (_ROOT,))

    def sizes(self, copy: Copy, location: str) -> Iterator[tuple[str, int]]:
        del copy, location
        return self._sizes()

    def _sizes(self) -> Iterator[tuple[str, int]]:
        yield from ((name, len(self._tags[name])) for name in ("bag-info.txt", "bagit.txt"))
        yield from ((_path(number), len(_path(number))) for number in range(self.files))
        yield (_MANIFEST, self._manifest_size)
        yield (_SEAL, len(self._tags[_SEAL]))

    def _manifest(self) -> Iterator[bytes]:
        for first in range(0, self.files, 1000):
            paths = map(_path, range(first, min(first + 1000, self.files)))
            yield "".join(f"{_sha256(path.encode())}  {path}\n" for path in paths).encode()


def _path(number: int) -> str:
    return f"data/{number // 1000:04d}/page-{number:07d}.jp2"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main() -> None:
    files, share = int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    made_up = MadeUpCopy(files)
    location = Location(LocationId("copy"), provider=Provider.MEMORY, bucket="bench")
    place = Place(location, made_up, Names.REFUSE, (location,))
    wrong: list[Finding] = []
    tell = partial(_keep_wrong, wrong)
    began, used = time.perf_counter(), time.process_time()
    wish = Wish(Target(), Depth(share=share) if share else LIST)
    summary = run(wish, [place], register=made_up, state=State(None, wish), tell=tell)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    taken = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used, "peak": peak}
    print(json.dumps({"files": files, "read": summary.read, **taken, "exit": summary.exit_code}))
    sys.exit(summary.exit_code or len(wrong) or int(peak > _MOST))


def _keep_wrong(wrong: list[Finding], finding: Finding) -> None:
    if finding.sign.value != "=":
        wrong.append(finding)
        print(finding.line(), file=sys.stderr)


if __name__ == "__main__":
    main()
