"""The storage service's own Python client, as it comes from the package index, against the whole stack over https."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

from chaos.nursery import Nursery
from local_stack.access import Certificate, token
from local_stack.demo.making import Recipe
from local_stack.demo.seeding import seed
from local_stack.settings import SOURCE
from local_stack.stack import BUCKET, CONTAINER, Stack, StackOptions

client_package = pytest.importorskip(
    "wellcome_storage_service", reason="wellcome-storage-service is not installed: pip install -r requirements-dev.txt"
)
trustme = pytest.importorskip("trustme", reason="trustme is not installed: pip install -r requirements-dev.txt")

REPOSITORY = Path(__file__).resolve().parents[2]
BAG = Recipe(
    "digitised", "PP/MIA 1", 1, {"data/a b.xml": b"<a/>" * 100, "data/b.txt": b"b" * 20}, payload_class="STANDARD"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Of an authority that only this test trusts."""
    folder = tmp_path_factory.mktemp("certificate")
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    made = Certificate("localhost", chain=folder / "chain.pem", key=folder / "key.pem", authority=folder / "ca.pem")
    for number, blob in enumerate(issued.cert_chain_pems):
        blob.write_to_path(str(made.chain), append=number > 0)
    issued.private_key_pem.write_to_path(str(made.key))
    authority.cert_pem.write_to_path(str(made.authority))
    return made


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[Stack]:
    """With authentication on, as `make up` starts it."""
    folder = tmp_path_factory.mktemp("stack")
    nursery = Nursery(log=folder / "logs" / "nursery.log")
    options = StackOptions(
        folder, REPOSITORY, ratio=36000, durable=False, certificate=certificate, launch=nursery.start
    )
    with nursery, Stack(options) as stack:
        control = stack.s3.control()
        seed(BAG, s3=stack.s3_client(), bucket=BUCKET, control=control)
        control.close()
        _import(stack)
        yield stack


def _import(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {token(stack.credentials, verify=stack.verify)}"}
    with httpx.Client(base_url=stack.api, verify=stack.verify, headers=headers, trust_env=False) as http:
        address = http.post("/imports", json={"location": {"id": SOURCE}}).raise_for_status().headers["Location"]
        _until(lambda: http.get(address).raise_for_status().json()["state"] == "finished")


def _until(done: Any, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def wellcome(stack: Stack, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The unmodified client with its own token flow, and the credentials file that the stack wrote."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.authority))
    monkeypatch.setenv("NO_PROXY", "localhost")
    return client_package.RequestsOAuthStorageServiceClient.from_path(
        api_url=stack.api, credentials_path=str(stack.credentials)
    )


def test_the_storage_services_client_backfills_a_bag_and_reads_it(wellcome: Any, stack: Stack) -> None:
    before = wellcome.get_bag("digitised", "PP/MIA 1", version="v1")
    location = wellcome.create_s3_ingest(
        "digitised", "PP/MIA 1", s3_bucket=BUCKET, s3_key="digitised/PP/MIA 1", ingest_type="backfill"
    )
    _until(lambda: wellcome.get_ingest_from_location(location)["status"]["id"] == "succeeded")
    ingest = wellcome.get_ingest(location.rsplit("/", 1)[1])
    after = wellcome.get_bag("digitised", "PP/MIA 1")

    assert version("wellcome-storage-service") == "2.3.4"
    assert location.startswith(f"{stack.api}/ingests/")
    assert ingest["ingestType"] == {"id": "backfill", "type": "IngestType"}
    assert ingest["events"][-1]["description"] == "Register succeeded (completed)"
    assert before["replicaLocations"] == []
    assert after["replicaLocations"] == [
        {
            "id": "azure",
            "provider": {"id": "azure-blob-storage", "type": "Provider"},
            "bucket": CONTAINER,
            "path": "digitised/PP/MIA 1",
            "type": "Location",
            "evidence": "E3",
        }
    ]
    assert after | {"replicaLocations": []} == before


def test_its_errors_are_the_ones_it_knows(wellcome: Any) -> None:
    with pytest.raises(client_package.BagNotFound):
        wellcome.get_bag("digitised", "b404")
    with pytest.raises(client_package.IngestNotFound):
        wellcome.get_ingest("6ba7b810-9dad-41d1-80b4-00c04fd430c8")
    with pytest.raises(client_package.UserError, match="Method Not Allowed: HTTP method not allowed"):
        wellcome.get_ingest("not-an-id")
    with pytest.raises(client_package.UserError, match=r"valid values are: create, update, backfill\."):
        wellcome.create_s3_ingest("digitised", "b1", s3_bucket=BUCKET, s3_key="x", ingest_type="copy")


def test_a_revoked_client_gets_no_token(stack: Stack, certificate: Certificate, wellcome: Any) -> None:
    kept = json.loads(stack.credentials.read_text("utf-8"))
    stranger = client_package.RequestsOAuthStorageServiceClient(
        api_url=stack.api,
        client_id=kept["client_id"],
        client_secret="wrong",
        token_url=kept["token_url"],
    )

    with pytest.raises(Exception, match="invalid_client"):
        stranger.get_bag("digitised", "PP/MIA 1")
    assert stack.credentials.stat().st_mode & 0o777 == 0o600
