"""The bags of the demo."""

from __future__ import annotations

import unicodedata

from local_stack.demo.content import film, pages, picture, text
from local_stack.demo.making import Fetched, Recipe

_METS = b'<?xml version="1.0"?><mets:mets xmlns:mets="http://www.loc.gov/METS/" OBJID="b10000001"/>\n'
MEGABYTE = 1_000_000


def recipes(*, bucket: str, film_bytes: int = 200 * MEGABYTE, small_files: int = 1000) -> list[Recipe]:
    """Nine bag versions, one of them with a corrupt source. Versions of one bag come in order."""
    return [
        _pictures(),
        _text(),
        _film(film_bytes),
        _website(small_files),
        *_two_versions(bucket),
        _odd_names(),
        _sha512(),
        _corrupt(),
    ]


def _pictures() -> Recipe:
    return Recipe(
        space="digitised",
        external_identifier="b10000001",
        version=1,
        payload={f"data/objects/page_{n:03d}.png": picture(n) for n in range(12)},
        tag_files={"metadata/mets.xml": _METS},
        payload_class="GLACIER",
        story="a digitised book: 12 pictures in Glacier",
    )


def _text() -> Recipe:
    return Recipe(
        space="digitised",
        external_identifier="b10000002",
        version=1,
        payload={f"data/ocr/chapter_{n:02d}.txt": text(n, words=4000) for n in range(20)},
        payload_class="DEEP_ARCHIVE",
        frozen_tags="GLACIER",
        story="its text in Deep Archive; its manifests freeze later",
    )


def _film(size: int) -> Recipe:
    return Recipe(
        space="moving-image",
        external_identifier="film/0001",
        version=1,
        payload={"data/film_0001.mxf": film(1, size=size), "data/film_0001.srt": text(5, words=500)},
        algorithms=("sha256", "md5"),
        payload_class="GLACIER",
        story=f"one film of {size // MEGABYTE} MB in Glacier",
    )


def _website(number: int) -> Recipe:
    return Recipe(
        space="web",
        external_identifier="crawl-2024-05",
        version=1,
        payload=dict(pages(number, seed=1)),
        story=f"a website: {number:,} small files, never frozen",
    )


def _two_versions(bucket: str) -> list[Recipe]:
    space, name = "born-digital", "PP/MIA/7"
    kept = {f"data/letters/{n:02d}.txt": text(50 + n, words=300) for n in range(6)}
    first = Recipe(
        space=space,
        external_identifier=name,
        version=1,
        payload=kept | {"data/inventory.txt": text(60, words=80)},
        payload_class="INTELLIGENT_TIERING",
        archive_tier="ARCHIVE_ACCESS",
        story="letters, sunk into Intelligent-Tiering's archive tier",
    )
    root = f"s3://{bucket}/{first.root}"
    second = Recipe(
        space=space,
        external_identifier=name,
        version=2,
        payload={"data/inventory.txt": text(61, words=90)},
        fetched=tuple(Fetched(path, root + path, data) for path, data in kept.items()),
        story="their second version: fetch.txt points into the first",
    )
    return [first, second]


def _odd_names() -> Recipe:
    names = {
        "data/a name with spaces.txt": text(70, words=40),
        "data/100% certain.txt": text(71, words=40),
        "data/50%25 encoded?.txt": text(72, words=40),
        "data/Übergrößenträger & Söhne #2.txt": text(73, words=40),
        "data/" + unicodedata.normalize("NFC", "Résumé (NFC).txt"): text(74, words=40),
        "data/" + unicodedata.normalize("NFD", "Crème brûlée (NFD).txt"): text(75, words=40),
        "data/空の書庫/目録+1.txt": text(76, words=40),
        "data/empty.txt": b"",
    }
    return Recipe(
        space="born-digital",
        external_identifier="disk 42",
        version=1,
        payload=names,
        payload_class="GLACIER",
        story="odd names (spaces, %, diacritics, CJK) and an empty file",
    )


def _sha512() -> Recipe:
    return Recipe(
        space="digitised",
        external_identifier="b10000512",
        version=1,
        payload={f"data/map_{n}.png": picture(200 + n, side=96) for n in range(4)},
        algorithms=("sha512",),
        payload_class="GLACIER_IR",
        story="SHA-512 manifests only, in Glacier Instant Retrieval",
    )


def _corrupt() -> Recipe:
    return Recipe(
        space="digitised",
        external_identifier="b10000666",
        version=1,
        payload={f"data/plate_{n}.png": picture(300 + n, side=96) for n in range(5)},
        payload_class="GLACIER",
        corrupt="data/plate_3.png",
        story="one byte of one picture is wrong at the source",
    )
