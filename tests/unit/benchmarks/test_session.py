"""A session of measuring, apart from what it measures."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from benchmarks.dataplane import session
from benchmarks.dataplane.concluding import COPYING
from benchmarks.dataplane.rounds import clients_for, trust
from benchmarks.dataplane.scenes import RealScene
from benchmarks.dataplane.workloads import SHAPES


def maker(_shape: object, room: Path) -> tuple[int, Path]:
    """In the place of what makes a workload: who does it."""
    return os.getpid(), room


def test_a_workload_is_made_by_another_process_so_that_its_bytes_are_in_nobodys_peak(monkeypatch, tmp_path):
    monkeypatch.setattr(session, "make", maker)

    process, room = session._made("w1", SimpleNamespace(quick=True), tmp_path)

    assert process != os.getpid()
    assert room == tmp_path


@pytest.mark.parametrize("name", COPYING)
def test_every_scene_of_copying_can_be_made_and_says_its_name(name, tmp_path):
    scene = session._scene(name, tmp_path / "program", tmp_path, tmp_path)

    assert scene.name == name
    assert set(session._WORKLOADS[name.partition("-")[0]]) <= set(SHAPES)


@pytest.mark.parametrize("name", [name for name in COPYING if name.startswith(("null", "latency"))])
def test_without_a_compiler_there_is_no_null_server(name, tmp_path):
    assert session._scene(name, None, tmp_path, tmp_path) is None


def test_clients_are_told_of_a_certificate_where_there_is_one(tmp_path):
    plain, secured = (RealScene("s3", root=tmp_path, repository=tmp_path, tls=tls) for tls in (False, True))

    assert trust(plain) == {}
    assert {Path(told).read_text().count("BEGIN") for told in trust(secured).values()} == {2}
    assert set(trust(secured)) == {"SSL_CERT_FILE", "AWS_CA_BUNDLE"}


def test_large_files_are_copied_between_real_servers_by_few(tmp_path):
    scene = RealScene("s3", root=tmp_path, repository=tmp_path)
    by_workload = {
        name: [client.name for client in clients_for(scene, SimpleNamespace(shape=SHAPES[name]))]
        for name in ("w1", "w3")
    }

    assert by_workload["w3"] == ["ours", "rclone-both", "rclone-replica-only"]
    assert set(by_workload["w3"]) < set(by_workload["w1"])
