"""What holds for any bytes and any names."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import normalize

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.domain.bagit.bag_info import read_bag_info
from common.domain.bagit.declaration import read_declaration
from common.domain.bagit.encodings import UTF_8, TagEncoding, tag_encoding
from common.domain.bagit.fetch import FetchReader
from common.domain.bagit.lines import TextLimits, read_lines
from common.domain.bagit.manifest import Entry, ManifestReader
from common.domain.bagit.names import Manifest, ManifestKind
from common.domain.fixity import Algorithm
from common.domain.problem import Problem
from unit.common.domain.bagit.bags import bag, digest, read

SHA256 = Manifest("manifest-sha256.txt", ManifestKind.PAYLOAD, Algorithm.SHA256)
LIMITS = TextLimits(max_line=40, max_file=200)
ROOMY = TextLimits(max_line=64 * 1024, max_file=2**30)
NAMES = ("UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "ISO-8859-1", "US-ASCII", "Windows-1252")

encodings = st.sampled_from([found for name in NAMES if (found := tag_encoding(name))])
TOKENS = [
    "\r\n",
    "\r",
    "\n",
    " ",
    "\t",
    "ab",
    ":",
    "%0A",
    "%",
    "../",
    "data/",
    "*",
    "\\",
    "Ä\u0308",
    "\u2028",
    "\ufeff",
]
texts = st.lists(st.sampled_from(TOKENS), max_size=60).map("".join)
raw = st.one_of(st.binary(max_size=300), texts.map(str.encode), texts.map(lambda text: text.encode("utf-16")))
segments = st.text(
    alphabet=st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/\\%"), min_size=1, max_size=20
).filter(lambda segment: segment.strip(".") != "")
plain_paths = st.lists(segments, min_size=1, max_size=4).map(lambda parts: "data/" + "/".join(parts))
paths = st.tuples(plain_paths, st.sampled_from(["", "%", "%25", "\n", "\r", "100%!", "\r\n"])).map("".join)
calm = settings(deadline=None)
"""How long an example takes depends on what else the computer does."""
cuts = st.lists(st.integers(min_value=1, max_value=40), min_size=1, max_size=30)


def folded(name: str) -> str:
    """Equal for names that cannot lie side by side everywhere."""
    return normalize("NFC", normalize("NFC", name).casefold())


def pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """`data` in blocks of these sizes, over and over."""
    while data:
        for size in sizes:
            yield data[:size]
            data = data[size:]


def lines_of(blocks: Iterator[bytes], encoding: TagEncoding) -> tuple[list[tuple[int, str]], list[Problem]]:
    problems: list[Problem] = []
    found = read_lines(blocks, name="x.txt", encoding=encoding, limits=LIMITS, report=problems.append)
    return list(found), problems


def reader(*, strict: bool, problems: list[Problem], manifest: Manifest = SHA256) -> ManifestReader:
    return ManifestReader(manifest, strict=strict, windows=True, max_entries=100, report=problems.append)


@given(raw, encodings, cuts)
@calm
def test_block_boundaries_do_not_matter(data: bytes, encoding: TagEncoding, sizes: list[int]) -> None:
    assert lines_of(pieces(data, sizes), encoding) == lines_of(iter([data]), encoding)


@given(texts)
@calm
def test_lines_end_with_lf_cr_or_crlf_and_with_nothing_else(text: str) -> None:
    problems: list[Problem] = []
    text = text.lstrip("\ufeff")
    found = read_lines([text.encode()], name="x", encoding=UTF_8, limits=ROOMY, report=problems.append)

    expected = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    expected = expected if expected[-1] else expected[:-1]
    assert ([line for _, line in found], problems) == (expected, [])


@given(raw, encodings, st.booleans())
@calm
def test_any_bytes_in_any_parser_make_problems_and_never_an_exception(
    data: bytes, encoding: TagEncoding, strict: bool
) -> None:
    problems: list[Problem] = []
    text = list(read_lines([data], name="x", encoding=encoding, limits=ROOMY, report=problems.append))
    tag = Manifest("tagmanifest-md5.txt", ManifestKind.TAG, Algorithm.MD5)

    declared = read_declaration([data], report=problems.append)
    read_bag_info(text, name="bag-info.txt", strict=strict, report=problems.append)
    entries = [
        *reader(strict=strict, problems=problems).entries(text),
        *reader(strict=strict, problems=problems, manifest=tag).entries(text),
        *FetchReader(strict=strict, windows=True, max_entries=100, report=problems.append).entries(text),
    ]

    assert len(entries) + len(problems) >= len(text)
    assert declared is None or not any(p.path == "bagit.txt" for p in problems)


@given(
    raw, st.sampled_from(["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "fetch.txt"])
)
@settings(calm, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_as_any_tag_file_make_problems_and_never_an_exception(data: bytes, name: str) -> None:
    files = {**bag(), name: data}

    with read(files) as reading:
        assert reading.rejected or files == bag()


@given(st.lists(paths, unique=True, max_size=20), st.sampled_from(["  ", " ", "\t"]), st.sampled_from(["\n", "\r\n"]))
@calm
def test_a_manifest_that_is_printed_and_read_is_the_same(names: list[str], separator: str, end: str) -> None:
    value = digest(b"")
    written = [name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D") for name in names]
    text = "".join(f"{value}{separator}{name}{end}" for name in written)
    problems: list[Problem] = []

    found = reader(strict=True, problems=problems).entries(
        read_lines([text.encode()], name=SHA256.name, encoding=UTF_8, limits=ROOMY, report=problems.append)
    )

    assert [entry[:3] for entry in found] == [(n + 1, name, value) for n, name in enumerate(names)]
    assert problems == []


@given(st.lists(plain_paths, unique_by=folded, max_size=10), st.sampled_from(["0.97", "1.0"]))
@settings(calm, max_examples=50)
def test_a_bag_of_any_legal_names_is_accepted_and_lists_its_files_in_byte_order(names: list[str], version: str) -> None:
    with read(bag(dict.fromkeys(names, b""), version=version)) as reading:
        found = [file.key for file in reading.inventory.files() if not file.is_tag]

    assert (found, reading.rejected) == (sorted(names, key=str.encode), False)


@given(st.binary(max_size=60))
@calm
def test_an_entry_is_never_outside_the_payload(path: bytes) -> None:
    text = [(1, f"{digest(b'')}  {path.decode('latin-1')}")]

    for strict in (True, False):
        found: list[Entry] = list(reader(strict=strict, problems=[]).entries(text))
        assert all(entry.path.startswith("data/") and ".." not in entry.path.split("/") for entry in found)
