"""backfill ingest callbacks|replay"""

from __future__ import annotations

import typer

from backfill_client.asking import CallbackRecord
from backfill_client.ingest_commands import IngestArgument
from backfill_client.output import Form, moment, show_list
from backfill_client.session import OutputOption, connected, form_of


def callbacks(context: typer.Context, ingest_id: IngestArgument, output: OutputOption = None) -> None:
    """List the deliveries of an ingest's callback, and what came of them."""
    with connected(context) as client:
        found = client.asking.callbacks(ingest_id)
    _show(found, form_of(context, output))


def replay(context: typer.Context, ingest_id: IngestArgument, output: OutputOption = None) -> None:
    """Send the callback of a finished ingest again."""
    with connected(context) as client:
        found = client.asking.replay(ingest_id)
    _show(found, form_of(context, output))


def add_to(ingest: typer.Typer) -> None:
    for command in (callbacks, replay):
        ingest.command()(command)


def _show(found: list[CallbackRecord], form: Form) -> None:
    """A line for each delivery; one for a callback that nothing was tried of yet."""
    rows: list[tuple[object, ...]] = []
    for one in found:
        status, due = one.status["id"], moment(one.next_attempt)
        tried = [
            (
                one.url,
                status,
                due,
                f"{each.round}.{each.number}",
                moment(each.started_date),
                each.http_status,
                each.code,
                each.error,
            )
            for each in one.attempts
        ]
        rows += tried or [(one.url, status, due, None, None, None, None, one.last_error)]
    show_list(form, ("Url", "Status", "Next", "Attempt", "When", "Answer", "Code", "Error"), rows, models=found)
