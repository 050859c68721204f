"""The workloads: the same bytes on every machine."""

from __future__ import annotations

import hashlib
from statistics import mean

from benchmarks.dataplane.workloads import SHAPES, Shape, make, read_items

TINY = Shape("tiny", "6 small files in 2 bags", 2, ((3, 10, 2000),))


def test_the_same_shape_gives_the_same_files_again(tmp_path):
    first, second = make(TINY, tmp_path / "a"), make(TINY, tmp_path / "b")
    assert read_items(first.items) == read_items(second.items)
    assert first.manifest.read_text() == second.manifest.read_text()


def test_the_manifest_tells_the_truth_about_the_files(tmp_path):
    made = make(TINY, tmp_path)
    lines = [line.split("  ") for line in made.manifest.read_text().splitlines()]
    files = {path: hashlib.sha256((tmp_path / "src" / "tiny" / path).read_bytes()).hexdigest() for _, path in lines}
    assert files == {path: digest for digest, path in lines}
    assert len(files) == TINY.files == 6


def test_the_workloads_are_those_that_are_promised():
    assert {name: (shape.bags, shape.files) for name, shape in SHAPES.items()} == {
        "w1": (1, 2000),
        "w2": (1, 200),
        "w3": (1, 4),
        "w4": (1, 600),
        "w5": (50, 2000),
    }
    assert 190_000 < mean(size for _, size in SHAPES["w5"].sizes()) < 210_000
