"""The live services keep to their OpenAPI documents, whatever they are asked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from contract.live import CONFIGURATION, SERVICES
from servers.ledgers import Ledgers
from unit.bag_register.ledgers import a_ledger

SEED = os.environ.get("CONTRACT_SEED", "1")
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "100"))
"""Of each route, at length."""


@pytest.fixture(params=SERVICES)
def client(request: pytest.FixtureRequest, ledgers: Ledgers) -> Iterator[httpx.Client]:
    with a_ledger(ledgers) as engine, SERVICES[request.param](engine) as client:
        yield client


def asked(client: httpx.Client, *, within: Path, examples: int) -> subprocess.CompletedProcess[str]:
    who = f"Authorization: {client.headers['Authorization']}"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run"]
    limits = [
        "--max-examples",
        str(examples),
        "--phases",
        "examples,coverage,fuzzing,stateful",
        "--seed",
        SEED,
        "--continue-on-failure",
        "--no-color",
    ]
    return subprocess.run(
        [*command, f"{client.base_url}/openapi.json", "--header", who, *limits],
        cwd=within,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_a_service_keeps_to_its_document(client: httpx.Client, tmp_path: Path) -> None:
    ran = asked(client, within=tmp_path, examples=EXAMPLES)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    # Whoever asks may shut clients out: had it been itself, little would have been asked.
    assert client.get("/nowhere").status_code == 404
