"""The evidence report, in its three forms."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from bag_register.sealing import Sealer
from common.adapters.objects.memory import open_store
from unit.bag_register.builders import Register, in_memory
from unit.verifier.copies import BAG, Copies

ODD = {"a.txt": b"aaa", "<img src=x onerror=alert(1)>": b"markup", "z\u202egpj.exe": b"turned", "=cmd": b"formula"}


@pytest.fixture
def copies(engine: Engine) -> Copies:
    """A bag with hostile names, read again once well and once with a rotten file."""
    copies = Copies(engine, ODD)
    copies.checked()
    copies.overwrite("data/a.txt", b"aab")
    copies.checked()
    Sealer(engine=engine, store=open_store(in_memory("second"))).checkpoint()
    return copies


def get(copies: Copies, form: str, **more: str) -> httpx.Response:
    with copies.register.serving() as client:
        wanted = {"space": "space", "identifier": "b1", "format": form} | more
        return client.get("/reports/evidence", params=wanted)


def test_json_tells_every_copy_and_what_was_read_of_every_file(copies: Copies) -> None:
    report = get(copies, "json").json()

    (copy,) = report.pop("copies")
    files = {file["path"]: file for file in copy.pop("files")}
    assert (report["scope"], report["chain"]["sealed"], report["checkpoint"]["sealed"]) == ("space/b1", 16, 16)
    assert (copy["location"], copy["provider"], copy["evidenceClass"], copy["verdict"]) == (
        "cold",
        "memory",
        "E3",
        "bad",
    )
    assert [check["verdict"] for check in copy["checks"]] == ["bad", "good"]
    assert files.keys() == copies.files.keys()
    rotten = files["data/a.txt"]
    assert (rotten["outcome"], rotten["reads"], rotten["build"]) == ("mismatch", 3, "verifier test")
    assert rotten["expected"] != rotten["measured"]
    assert files["data/=cmd"]["key"] == f"{BAG.path}/data/=cmd"


def test_csv_has_a_line_for_each_file_and_no_formula(copies: Copies) -> None:
    rows = list(csv.DictReader(io.StringIO(get(copies, "csv").text)))

    assert {row["path"] for row in rows} == copies.files.keys()
    assert {row["outcome"] for row in rows} == {"match", "mismatch"}
    assert not [cell for row in rows for cell in row.values() if cell and cell.startswith(("=", "+", "-", "@"))]


def test_html_shows_hostile_names_as_they_are_and_runs_nothing(copies: Copies, tmp_path: Path) -> None:
    answer = get(copies, "html")

    (tmp_path / "report.html").write_text(answer.text, "utf-8")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "<img" not in answer.text
    assert "<bdi>data/&lt;img src=x onerror=alert(1)&gt;</bdi>" in answer.text
    assert "<bdi>data/z\\u202egpj.exe</bdi>" in answer.text
    assert answer.text.count("measured <code>") == 1
    assert answer.text.endswith("</body></html>\n")


def test_a_copy_that_nobody_read_says_so(register: Register, engine: Engine) -> None:
    copies = Copies(engine)

    assert "No file of this copy was read yet" in get(copies, "html").text
    assert get(copies, "json").json()["copies"][0]["files"] == []
    assert len(get(copies, "csv").text.splitlines()) == 2


def test_what_is_not_registered_has_no_report(copies: Copies) -> None:
    assert [get(copies, "json", **one).status_code for one in ({"identifier": "b2"}, {"location": "azure"})] == [
        404,
        404,
    ]
    assert get(copies, "json", version="2").status_code == 400
