"""compose.yaml and the Dockerfile agree with the services and settings there are. No engine is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bag_register.settings import Settings as RegisterSettings
from ingests_api.settings import Settings as ApiSettings

REPOSITORY = Path(__file__).resolve().parents[2]
SERVICES = {path.name for path in (REPOSITORY / "services").iterdir() if path.is_dir()}


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.yaml").read_text("utf-8"))
    return found


def ours() -> dict[str, Any]:
    return {name: spec for name, spec in compose()["services"].items() if "build" in spec}


def test_every_service_has_a_container_built_from_its_own_package() -> None:
    built = {name: spec["build"]["args"]["SERVICE"] for name, spec in ours().items()}

    assert built == {name: name for name in SERVICES}


def test_every_setting_that_is_given_exists() -> None:
    known = {f"BACKFILL_{name.upper()}" for model in (ApiSettings, RegisterSettings) for name in model.model_fields}
    given = {name for spec in ours().values() for name in spec["environment"]}

    assert given - known == set()


def test_every_service_has_its_own_credentials_and_no_privileges() -> None:
    for name, spec in ours().items():
        assert f"./locations/{name}.toml:/run/locations.toml:ro" in spec["volumes"], name
        assert (spec["cap_drop"], spec["read_only"]) == (["ALL"], True), name


def test_the_image_runs_as_nobody_special_and_lets_the_service_hear_sigterm() -> None:
    lines = (REPOSITORY / "Dockerfile").read_text("utf-8").splitlines()

    assert "USER backfill" in lines
    assert any(line.startswith("CMD") and "exec python -m" in line for line in lines)
