"""What must hold of the BagIt parsers, whatever the bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from common.domain.bagit.bag_info import BagInfo, read_bag_info
from common.domain.bagit.declaration import Declaration, read_declaration
from common.domain.bagit.encodings import TagEncoding, tag_encoding
from common.domain.bagit.fetch import FetchEntry, FetchReader
from common.domain.bagit.lines import TextLimits, read_lines
from common.domain.bagit.manifest import Entry, ManifestReader
from common.domain.bagit.names import Manifest, ManifestKind, is_directory_marker, is_tag_manifest
from common.domain.bagit.policy import Policy
from common.domain.bagit.reader import read_bag
from common.domain.bagit.verify import verify_files
from common.domain.fixity import Algorithm
from common.domain.problem import BAG_PROBLEMS, Problem, Severity
from unit.common.domain.bagit.bags import DictSource

ROOMY = TextLimits(max_line=4096, max_file=1 << 20)
_ENCODINGS = [
    found
    for name in ("UTF-8", "UTF-16", "UTF-16LE", "UTF-32", "ISO-8859-1", "US-ASCII", "Windows-1252")
    if (found := tag_encoding(name))
]
_MANIFESTS = [
    Manifest("manifest-sha256.txt", ManifestKind.PAYLOAD, Algorithm.SHA256),
    Manifest("tagmanifest-md5.txt", ManifestKind.TAG, Algorithm.MD5),
    Manifest("manifest-md5.txt", ManifestKind.PAYLOAD, Algorithm.MD5),
    Manifest("tagmanifest-sha512.txt", ManifestKind.TAG, Algorithm.SHA512),
]
FILE, BODY = b"\n== ", b" ==\n"
"""What sets off the files of a bag that is written as one text: a line with the name, then the file's bytes."""


def manifest(data: bytes) -> None:
    """The first byte chooses the kind, the version and the encoding; the rest is the file."""
    choice, text = _choice(data)
    kind, strict, encoding = _MANIFESTS[choice % 4], bool(choice & 4), _ENCODINGS[(choice >> 3) % len(_ENCODINGS)]
    lines, problems = _lines(text, encoding)
    found = _entries(kind, lines, strict=strict, report=problems)
    _known(problems)
    assert len(found) + sum(p.severity is Severity.ERROR for p in problems) >= len(lines), "a line was passed over"
    for entry in found:
        _safe(entry.path)
        assert entry.path.startswith("data/") == (kind.kind is ManifestKind.PAYLOAD), entry
        assert len(entry.digest) == kind.algorithm.hex_length, entry
        assert set(entry.digest) <= set("0123456789abcdef"), entry
        if entry.other is not None:
            _safe(entry.other)
    _reads_back(kind, found, strict=strict)


def _reads_back(kind: Manifest, found: list[Entry], *, strict: bool) -> None:
    faults: list[Problem] = []
    again = _entries(kind, enumerate(map(_line(strict=strict), found), start=1), strict=strict, report=faults)
    assert [(e.path, e.digest) for e in again] == [(e.path, e.digest) for e in found], (found, again, faults)


def _line(*, strict: bool) -> Callable[[Entry], str]:
    def written(entry: Entry) -> str:
        star = " *" if entry.path.startswith("*") else "  "
        if strict:
            return f"{entry.digest}{star}{_percent(entry.path)}"
        if "\n" in entry.path or "\r" in entry.path:
            return f"\\{entry.digest}{star}" + entry.path.replace("\n", "\\n").replace("\r", "\\r")
        return f"{entry.digest}{star}{entry.path}"

    return written


def _entries(kind: Manifest, lines: Iterable[tuple[int, str]], *, strict: bool, report: list[Problem]) -> list[Entry]:
    reader = ManifestReader(kind, strict=strict, windows=True, max_entries=10_000, report=report.append)
    return list(reader.entries(lines))


def fetch(data: bytes) -> None:
    """As for manifests."""
    choice, text = _choice(data)
    strict, encoding = bool(choice & 1), _ENCODINGS[(choice >> 1) % len(_ENCODINGS)]
    lines, problems = _lines(text, encoding)
    found = _fetched(lines, strict=strict, report=problems)
    _known(problems)
    assert len(found) + len(problems) >= len(lines), "a line was passed over"
    for entry in found:
        _safe(entry.path)
        assert entry.path.startswith("data/"), entry
        assert entry.url.isascii(), entry
        assert ":" in entry.url, entry
    written = [f"{e.url} {'-' if e.size is None else e.size} {_percent(e.path) if strict else e.path}" for e in found]
    again = _fetched(enumerate(written, start=1), strict=strict, report=[])
    assert [e[1:] for e in again] == [e[1:] for e in found], (found, again)


def _fetched(lines: Iterable[tuple[int, str]], *, strict: bool, report: list[Problem]) -> list[FetchEntry]:
    return list(FetchReader(strict=strict, windows=True, max_entries=10_000, report=report.append).entries(lines))


def bag_info(data: bytes) -> None:
    """The first byte chooses the version and the encoding."""
    choice, text = _choice(data)
    strict, encoding = bool(choice & 1), _ENCODINGS[(choice >> 1) % len(_ENCODINGS)]
    lines, problems = _lines(text, encoding)
    info = _info(lines, strict=strict, report=problems)
    _known(problems)
    faults: list[Problem] = []
    written = [f"{label}: {value}" for label, value in info.fields]
    again = _info(enumerate(written, start=1), strict=strict, report=faults)
    assert again.fields == info.fields
    assert again.payload_oxum == info.payload_oxum
    assert not [p for p in faults if p.code == "bag_info_malformed"], faults


def _info(lines: Iterable[tuple[int, str]], *, strict: bool, report: list[Problem]) -> BagInfo:
    return read_bag_info(lines, name="bag-info.txt", strict=strict, report=report.append)


def bagit_txt(data: bytes) -> None:
    """Read, printed and read again; or refused with a reason."""
    problems: list[Problem] = []
    found = read_declaration([data], report=problems.append)
    _known(problems)
    assert (found is None) == bool(problems), problems
    if found:
        assert read_declaration([_declared(found)], report=problems.append) == found
        assert problems == []


def _declared(found: Declaration) -> bytes:
    return f"BagIt-Version: {found.version}\nTag-File-Character-Encoding: {found.encoding.name}\n".encode()


def tag_text(data: bytes) -> None:
    """How the bytes are cut into blocks does not matter. The first two bytes choose encoding and cut."""
    choice, text = _choice(data)
    cut, text = _choice(text)
    encoding, limits = _ENCODINGS[choice % len(_ENCODINGS)], TextLimits(max_line=200, max_file=3000)
    pieces = [text[n : n + cut % 37 + 1] for n in range(0, len(text), cut % 37 + 1)]
    whole, cut_up = _lines(text, encoding, limits=limits), _lines(pieces, encoding, limits=limits)
    assert whole == cut_up
    for _, line in whole[0]:
        assert "\n" not in line
        assert "\r" not in line
        assert len(line) <= limits.max_line


def bag(data: bytes) -> None:
    """A whole bag as one text. What is accepted is complete, and nothing of it lies elsewhere."""
    files = dict(_files(data))
    source = DictSource(files)
    with read_bag(source, policy=Policy(allow_fetch=True)) as reading:
        _known(reading.problems)
        if reading.rejected:
            return
        planned = list(reading.inventory.files())
        for file in planned:
            _safe(file.key)
            assert file.url or file.key in files, file
            assert file.checksums or is_tag_manifest(file.key), f"{file.key} is protected by no manifest"
        here = {file.key for file in planned if not file.url}
        assert here == {path for path, body in files.items() if not is_directory_marker(path, len(body))}
        _known(verify_files(source, reading))


def _files(data: bytes) -> Iterator[tuple[str, bytes]]:
    for part in data.split(FILE)[1:]:
        name, _, body = part.partition(BODY)
        yield name.decode("utf-8", "replace"), body


def _choice(data: bytes) -> tuple[int, bytes]:
    return (data[0], data[1:]) if data else (0, b"")


def _lines(
    text: bytes | list[bytes], encoding: TagEncoding, *, limits: TextLimits = ROOMY
) -> tuple[list[tuple[int, str]], list[Problem]]:
    problems: list[Problem] = []
    blocks = [text] if isinstance(text, bytes) else text
    found = list(read_lines(blocks, name="x", encoding=encoding, limits=limits, report=problems.append))
    return found, problems


def _known(problems: Iterable[Problem]) -> None:
    for problem in problems:
        assert problem.code in BAG_PROBLEMS, problem
        assert problem.message.isprintable(), f"a terminal or a log would obey it: {problem.message!r}"


def _safe(path: str) -> None:
    assert path, "an empty path"
    assert not path.startswith(("/", "~", "\\")), path
    assert not {"", ".", ".."} & set(path.removesuffix("/").split("/")), path
    assert "\0" not in path, path


def _percent(path: str) -> str:
    return path.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")
