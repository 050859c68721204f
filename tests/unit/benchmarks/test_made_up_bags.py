"""The benchmarks of large bags, on small ones: they follow the ports that they make up."""

from __future__ import annotations

import hashlib

from benchmarks import aggregating, planning
from benchmarks.large_bag.bags import Payload, path, write_bag


def test_a_made_up_bag_is_planned_whole():
    found = planning.measure(1200)

    assert (found["files"], found["segments"]) == (1204, 3)


def test_a_made_up_copy_is_aggregated():
    assert aggregating.measure(1200)["files"] == 1200


def test_a_large_bag_is_described_as_its_server_makes_it_up(tmp_path):
    bag = tmp_path / "bag"

    write_bag(bag, Payload(small=1002))

    manifest = (bag / "manifest-sha256.txt").read_text().splitlines()
    assert len(manifest) == 1002
    assert manifest[1001] == f"{hashlib.sha256(path(1001).encode()).hexdigest()}  data/0001/page-0001001.jp2"
    assert "Payload-Oxum: 26052.1002\n" in (bag / "bag-info.txt").read_text()
