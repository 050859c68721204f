"""Programs that another user can run."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from local_stack.servers.places import reachable_by_all
from local_stack.servers.postgres_programs import for_all_users


def test_programs_behind_a_closed_folder_are_copied_to_where_all_can_reach_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "pg" / "bin").mkdir(parents=True)
    (tmp_path / "pg" / "bin" / "postgres").write_text("#!/bin/sh")
    (tmp_path / "pg" / "bin" / "postgres").chmod(0o755)

    first = for_all_users(tmp_path / "pg" / "bin")
    second = for_all_users(tmp_path / "pg" / "bin")
    copied = (first / "postgres").read_text()
    reachable = reachable_by_all(first)
    shutil.rmtree(first.parent)

    assert (first, copied, reachable) == (second, "#!/bin/sh", True)
    assert str(first.parent) in capsys.readouterr().out
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_programs_within_reach_stay_where_they_are() -> None:
    assert for_all_users(Path("/usr/bin")) == Path("/usr/bin")
