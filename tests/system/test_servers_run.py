"""The fixtures' own plumbing: shared, lazy, and gone with the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from servers.handles import AzureServer, S3Server
from servers.run import Run


@pytest.fixture
def controller() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for a test run's controller."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def answers(address: dict[str, str]) -> bool:
    try:
        return httpx.get(f"{address['endpoint']}/_cold/clock", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_workers_that_ask_at_once_share_one_server_that_is_gone_with_a_killed_controller(
    controller: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    run = Run(directory=tmp_path, controller=controller.pid)
    found: list[dict[str, str]] = []
    workers = [threading.Thread(target=lambda: found.append(run.server("s3"))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found[0] == found[1]
    assert answers(found[0])

    controller.send_signal(signal.SIGKILL)
    controller.wait()
    deadline = time.monotonic() + 20
    while answers(found[0]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answers(found[0])


def test_the_end_of_a_run_stops_its_servers_and_removes_its_directory() -> None:
    run = Run.begin()
    address = run.server("s3")
    run.end()
    assert not answers(address)
    assert not run.directory.exists()


def test_a_server_that_fails_to_start_tells_why() -> None:
    run = Run.begin()
    with pytest.raises(RuntimeError, match="KeyError: 'mainframe'"):
        run.server("mainframe")
    run.end()


def test_azurite_takes_a_blob_from_a_shared_access_signature_and_refuses_an_expired_one(azurite: AzureServer) -> None:
    from azure.core.exceptions import HttpResponseError
    from azure.storage.blob import ContainerClient

    name = azurite.container()
    place = f"{azurite.endpoint}/{name}"
    ContainerClient.from_container_url(f"{place}?{azurite.sas(name, 'cw')}").upload_blob("a", b"x")
    reader = ContainerClient.from_container_url(f"{place}?{azurite.sas(name, 'rl')}")
    assert [blob.name for blob in reader.list_blobs()] == ["a"]
    late = ContainerClient.from_container_url(f"{place}?{azurite.sas(name, 'rl', hours=-1)}")
    with pytest.raises(HttpResponseError) as refused:
        late.download_blob("a")
    assert refused.value.status_code == 403


def test_seaweedfs_rejects_a_wrong_checksum(seaweedfs: S3Server) -> None:
    from botocore.exceptions import ClientError

    bucket, s3 = seaweedfs.bucket(), seaweedfs.client()
    with pytest.raises(ClientError, match=r"BadDigest|[Cc]hecksum"):
        s3.put_object(Bucket=bucket, Key="a", Body=b"x", ChecksumSHA256="A" * 43 + "=")


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux")
def test_nothing_is_started_by_a_run_that_asks_for_nothing() -> None:
    run = Run.begin()
    assert list(run.directory.iterdir()) == []
    run.end()
