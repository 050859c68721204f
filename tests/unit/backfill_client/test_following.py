"""What is shown of an ingest while it works."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import Progress

from backfill_client.following import COLUMNS, describe, move
from backfill_client.models import Ingest

GB = 10**9


def an_ingest(**bytes_of: int) -> Ingest:
    amounts = {name: {"segments": 1, "files": 1, "bytes": octets} for name, octets in bytes_of.items()}
    return Ingest.model_validate(
        {
            "id": "i",
            "ingestType": {"id": "backfill"},
            "status": {"id": "processing"},
            "space": {"id": "digitised"},
            "bag": {"info": {"externalIdentifier": "b1", "version": "v1"}},
            "sourceLocation": {"id": "cold", "provider": {"id": "amazon-s3"}, "bucket": "b"},
            "progress": amounts,
            "createdDate": datetime(2026, 1, 31, tzinfo=UTC).isoformat(),
        }
    )


def test_the_bar_shows_bytes_their_rate_and_the_time_left() -> None:
    now = iter(float(second) for second in range(1000))
    out = io.StringIO()
    bar = Progress(*COLUMNS, console=Console(file=out, width=160, force_terminal=False), get_time=lambda: next(now))
    task = bar.add_task("", total=None)
    for verified in (0, 1 * GB, 2 * GB):
        move(bar, task, an_ingest(planned=4 * GB, thawed=4 * GB, copied=3 * GB, verified=verified))
    bar.console.print(bar.get_renderable())
    line = " ".join(out.getvalue().split())
    assert "2.0/4.0 GB" in line
    assert "1.0 GB/s 0:00:02" in line
    assert line.endswith("thawed 4.0 GB, copied 3.0 GB")


def test_before_there_is_a_plan_it_says_so() -> None:
    assert describe(an_ingest()) == "planning"
