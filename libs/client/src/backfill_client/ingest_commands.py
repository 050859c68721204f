"""backfill ingest …"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from backfill_client.following import follow
from backfill_client.models import Amount, Ingest
from backfill_client.output import Form, moment, show_facts, show_list, show_record, show_table, size
from backfill_client.proof import FileEvidence
from backfill_client.session import Exit, OutputOption, connected, form_of

app = typer.Typer(help="Ask for copies of bags, and follow them.", no_args_is_help=True)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no ingest's id: a UUID, as `ingest create` shows it") from None


IngestArgument = Annotated[str, typer.Argument(help="The ingest's id", callback=_uuid)]


@app.command("show")
def show(context: typer.Context, ingest_id: IngestArgument, output: OutputOption = None) -> None:
    """Show an ingest with its history."""
    with connected(context) as client:
        ingest = client.get_ingest(ingest_id)
    show_ingest(ingest, form_of(context, output))


class Which(StrEnum):
    """Which files of an ingest."""

    ALL = "all"
    BAD = "bad"
    DOUBTED = "doubted"


_EVIDENCE = ("name", "outcome", "evidence", "bytes", "expected", "measured", "reads", "ended", "worker", "reason")


@app.command("evidence")
def evidence(
    context: typer.Context,
    ingest_id: IngestArgument,
    which: Annotated[Which, typer.Option(help="Which files")] = Which.ALL,
    limit: Annotated[int | None, typer.Option(min=1, help="So many at most")] = None,
    output: OutputOption = None,
) -> None:
    """Show what was expected of each file and what was read back from the destination."""
    with connected(context) as client:
        found = list(client.ingest_evidence(ingest_id, which=which.value, limit=limit))
    show_list(form_of(context, output), _EVIDENCE, [_proof(one) for one in found], models=found)


def _proof(one: FileEvidence) -> tuple[object, ...]:
    expected, measured = (
        " ".join(f"{name}:{value}" for name, value in sorted(given.items())) for given in (one.expected, one.measured)
    )
    read = one.reads, moment(one.ended_date), one.worker, one.reason
    return one.name, one.outcome, one.evidence_class, one.size, expected, measured, *read


@app.command("watch")
def watch(
    context: typer.Context,
    ingest_id: IngestArgument,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks")] = 2,
    output: OutputOption = None,
) -> None:
    """Follow an ingest until it has finished; the exit code is 1 if it failed."""
    form = form_of(context, output)
    with connected(context) as client:
        ingest = follow(client, ingest_id, every=every, form=form)
    if not show_record(form, ingest):
        show_facts([("Status", ingest.status), ("Error", _error(ingest))])
    if ingest.status == "failed":
        raise typer.Exit(Exit.FAILED)


def show_ingest(ingest: Ingest, form: Form) -> None:
    """With its history."""
    if show_record(form, ingest):
        return
    show_facts(
        [
            ("Ingest", ingest.id),
            ("Bag", ingest.name),
            ("From", ingest.source_location.id),
            ("To", ingest.destination.id if ingest.destination else None),
            ("Status", ingest.status),
            ("Error", _error(ingest)),
            ("Stalled", _stalled(ingest)),
            ("Retry of", ingest.retry_of),
            ("Verified", _verified(ingest.progress.verified, ingest.progress.planned)),
            ("Created", moment(ingest.created_date)),
        ]
    )
    if ingest.events:
        show_table(("When", "Event"), [(moment(event.created_date), event.description) for event in ingest.events])


def _error(ingest: Ingest) -> str | None:
    return f"{ingest.error.code}: {ingest.error.description}" if ingest.error else None


def _stalled(ingest: Ingest) -> str | None:
    if ingest.stalled is None:
        return None
    error = f" ({ingest.stalled.last_error})" if ingest.stalled.last_error else ""
    return f"{ingest.stalled.stage} since {moment(ingest.stalled.since)}: {ingest.stalled.reason}{error}"


def _verified(done: Amount, planned: Amount) -> str | None:
    if not planned.files:
        return None
    return f"{done.files:,} of {planned.files:,} files, {size(done.bytes)} of {size(planned.bytes)}"
