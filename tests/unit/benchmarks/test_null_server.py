"""The bag that the null server makes up: whoever puts other bytes than its files' is told."""

from __future__ import annotations

import re
import shutil

import httpx
import pytest
from benchmarks.dataplane.null_server import NullServer, compile_null_server
from benchmarks.large_bag.bags import BAG, path

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
FILES = 2500


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    room = tmp_path_factory.mktemp("null")
    server = NullServer(compile_null_server(room), room, log=room / "log", made_up=FILES)
    with server, httpx.Client(base_url=server.store("s3", "src").endpoint, trust_env=False) as client:
        yield client


def key(number: int) -> str:
    return f"{BAG.root}{path(number)}"


def listed(server, bucket: str, **asked: str) -> list[str]:
    return re.findall("<Key>(.*?)</Key>", server.get(f"/{bucket}", params={"prefix": BAG.root, **asked}).text)


def test_the_source_lists_all_files_in_pages(server):
    pages = [listed(server, "src"), listed(server, "src", **{"start-after": key(999)})]

    assert pages == [[key(n) for n in range(1000)], [key(n) for n in range(1000, 2000)]]
    assert listed(server, "src", **{"start-after": key(FILES - 2)}) == [key(FILES - 1)]
    assert listed(server, "src", **{"start-after": key(FILES - 1)}) == []


def test_a_file_holds_its_own_path_and_there_are_no_others(server):
    assert server.get(f"/src/{key(7)}").text == path(7)
    assert server.get(f"/src/{key(FILES)}").status_code == 404
    assert server.get(f"/dst/{key(7)}").status_code == 404


def test_another_bucket_has_what_was_put_there_once_and_in_the_right_bytes(server):
    wrong = server.put(f"/dst/{key(8)}", content=path(9).encode())
    right = server.put(f"/dst/{key(9)}", content=path(9).encode(), headers={"If-None-Match": "*"})
    again = server.put(f"/dst/{key(9)}", content=path(9).encode(), headers={"If-None-Match": "*"})

    assert [wrong.status_code, right.status_code, again.status_code] == [400, 200, 412]
    assert listed(server, "dst") == [key(9)]
    assert server.get(f"/dst/{key(9)}").text == path(9)
