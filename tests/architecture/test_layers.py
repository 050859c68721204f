"""The layers hold: the contracts of .importlinter are kept, and a broken one would be seen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / ".importlinter"
LINTER = Path(sys.executable).with_name("lint-imports")


def linted(config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINTER, "--config", config, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def test_every_contract_is_kept() -> None:
    result = linted(CONTRACTS)

    assert result.returncode == 0, result.stdout
    assert " 0 broken" in result.stdout


@pytest.mark.parametrize(
    ("rule", "broken_rule", "name"),
    [
        ("    common.adapters.objects.s3\n    backfill_check", "    common.domain\n    backfill_check", "speak boto3"),
        (
            "    runtime | probing\n    ledger | adapters | stored_bag | measuring\n",
            "    ledger | adapters | stored_bag | measuring\n    runtime | probing\n",
            "what lies below it",
        ),
        ("    common.runtime\n    common.adapters\n", "    common.runtime\n    common.ports\n", "need neither ledger"),
    ],
)
def test_a_contract_that_the_code_breaks_is_seen(tmp_path: Path, rule: str, broken_rule: str, name: str) -> None:
    text = CONTRACTS.read_text()
    assert rule in text
    config = tmp_path / "contracts"
    config.write_text(text.replace(rule, broken_rule))

    result = linted(config)

    assert result.returncode == 1, result.stdout
    assert [line for line in result.stdout.splitlines() if name in line and "BROKEN" in line]
