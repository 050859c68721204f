"""Following an ingest on a terminal: its history as it happens, and a bar with bytes, their rate and the time left."""

from __future__ import annotations

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from backfill_client.client import BackfillClient
from backfill_client.models import Ingest
from backfill_client.output import Form, console, moment, size


def follow(client: BackfillClient, ingest_id: str, *, every: float, form: Form) -> Ingest:
    """Until it has finished; as JSON and CSV nothing is told on the way."""
    told = 0
    with progress_bar(form) as bar:
        task = bar.add_task("", total=None)
        for ingest in client.watch_ingest(ingest_id, every=every):
            if form is Form.TABLE:
                for event in ingest.events[told:]:
                    bar.console.print(f"{moment(event.created_date)}  {event.description}", markup=False)
            told = max(told, len(ingest.events))
            move(bar, task, ingest)
    return ingest


COLUMNS = (
    BarColumn(),
    DownloadColumn(),
    TransferSpeedColumn(),
    TimeRemainingColumn(),
    TextColumn("{task.description}", markup=False),
)


def progress_bar(form: Form) -> Progress:
    """Off a terminal there is no bar."""
    out = console()
    return Progress(*COLUMNS, console=out, disable=form is not Form.TABLE or not out.is_terminal, transient=True)


def move(bar: Progress, task: TaskID, ingest: Ingest) -> None:
    """What counts is what was read back and found whole."""
    progress = ingest.progress
    total = progress.planned.bytes or None
    bar.update(task, completed=progress.verified.bytes, total=total, description=describe(ingest))


def describe(ingest: Ingest) -> str:
    """How far ahead of the bar the rest of the work is."""
    progress = ingest.progress
    if not progress.planned.files:
        return "planning"
    return f"thawed {size(progress.thawed.bytes)}, copied {size(progress.copied.bytes)}"
