"""backfill ingest list|cancel|fail|retry|speed-up, backfill dead-letters …"""

from __future__ import annotations

from typing import Annotated

import typer

from backfill_client.ingest_commands import IngestArgument, show_ingest
from backfill_client.operations import DeadLetter, Ended, IngestLine
from backfill_client.output import Form, moment, show_facts, show_list, show_record, show_table, size
from backfill_client.session import OutputOption, connected, form_of

ReasonOption = Annotated[str, typer.Option(help="Why: it is kept with your name")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many")]
LetterArgument = Annotated[int, typer.Argument(min=1, help="The dead letter's id")]

letters = typer.Typer(help="What was given up, and what is to become of it.", no_args_is_help=True)


def add_to(app: typer.Typer, ingest: typer.Typer) -> None:
    """`backfill dead-letters`, and more of `backfill ingest`."""
    app.add_typer(letters, name="dead-letters")
    for command in (list_ingests, cancel, fail, retry, speed_up):
        ingest.command(command.__name__.removesuffix("_ingests").replace("_", "-"))(command)


def list_ingests(
    context: typer.Context,
    bag: Annotated[str | None, typer.Option(help="Only of this external identifier")] = None,
    space: Annotated[str | None, typer.Option(help="Only of this space")] = None,
    status: Annotated[str | None, typer.Option(help="accepted, processing, succeeded, failed or stalled")] = None,
    to: Annotated[str | None, typer.Option(help="Only to this location")] = None,
    code: Annotated[str | None, typer.Option(help="Only those that failed with this code")] = None,
    created_after: Annotated[str | None, typer.Option(help="Such as 2026-01-31")] = None,
    created_before: Annotated[str | None, typer.Option(help="Such as 2026-01-31")] = None,
    oldest_first: Annotated[bool, typer.Option("--oldest-first", help="Instead of the newest")] = False,
    limit: LimitOption = 50,
    output: OutputOption = None,
) -> None:
    """List ingests, the newest first."""
    with connected(context) as client:
        found = list(
            client.operations.ingests(
                bag=bag,
                space=space,
                status=status,
                destination=to,
                code=code,
                created_after=created_after,
                created_before=created_before,
                sort="createdDate" if oldest_first else "-createdDate",
                limit=limit,
            )
        )
    columns = ("Ingest", "Bag", "To", "Status", "Error", "Created", "Last event")
    show_list(form_of(context, output), columns, [_row(one) for one in found], models=found)


def _row(one: IngestLine) -> tuple[object, ...]:
    status = "stalled" if one.has_stalled else one.status
    error = one.error.code if one.error else None
    return one.id, one.name, one.destination.id, status, error, moment(one.created_date), moment(one.last_modified_date)


def cancel(
    context: typer.Context, ingest_id: IngestArgument, reason: ReasonOption, output: OutputOption = None
) -> None:
    """Stop an ingest; tells what it had asked of the stores by then, which nothing takes back."""
    with connected(context) as client:
        ended = client.operations.cancel(ingest_id, reason=reason)
    _show_ended(ended, form_of(context, output))


def fail(context: typer.Context, ingest_id: IngestArgument, reason: ReasonOption, output: OutputOption = None) -> None:
    """Give an ingest up that will not come right: the manual way out."""
    with connected(context) as client:
        ended = client.operations.fail(ingest_id, reason=reason)
    _show_ended(ended, form_of(context, output))


def retry(context: typer.Context, ingest_id: IngestArgument, reason: ReasonOption, output: OutputOption = None) -> None:
    """Do a failed ingest again, as a new one; or let one that waits go on at once."""
    with connected(context) as client:
        ingest = client.operations.retry(ingest_id, reason=reason)
    show_ingest(ingest, form_of(context, output))


def speed_up(
    context: typer.Context,
    ingest_id: IngestArgument,
    tier: Annotated[str, typer.Option(help="Standard or Expedited")],
    reason: ReasonOption,
    output: OutputOption = None,
) -> None:
    """Thaw by a faster tier from now on, also what is on its way. It is billed at that tier's price."""
    with connected(context) as client:
        ingest = client.operations.speed_up(ingest_id, tier=tier, reason=reason)
    show_ingest(ingest, form_of(context, output))


def _show_ended(ended: Ended, form: Form) -> None:
    if show_record(form, ended):
        return
    show_ingest(ended, form)
    spent = ended.spent
    told = [f"{one.objects:,} objects, {size(one.bytes)} ({one.tier}, {one.days} days)" for one in spent.restores]
    show_facts(
        [
            ("Restores asked for", "; ".join(told) or "none"),
            ("Copied", f"{spent.copied.files:,} files, {size(spent.copied.bytes)}"),
            ("Being copied", f"{spent.copying.files:,} files, {size(spent.copying.bytes)}"),
            ("Read back", f"{spent.verified.files:,} files, {size(spent.verified.bytes)}"),
        ]
    )


@letters.command("list")
def list_letters(
    context: typer.Context,
    stage: Annotated[str | None, typer.Option(help="Such as copying")] = None,
    code: Annotated[str | None, typer.Option(help="Such as attempts_exhausted")] = None,
    ingest: Annotated[str | None, typer.Option(help="Only of this ingest")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that somebody has decided about")] = False,
    limit: LimitOption = 50,
    output: OutputOption = None,
) -> None:
    """List what was given up and waits for a decision, the newest first."""
    with connected(context) as client:
        found = list(
            client.operations.dead_letters(
                stage=stage, code=code, ingest=ingest, open=None if everything else "true", limit=limit
            )
        )
    columns = ("Id", "When", "Stage", "Code", "Status", "Ingest", "Reason")
    rows = [
        (one.id, moment(one.created_date), one.stage, one.code, one.status, one.ingest_id, one.reason) for one in found
    ]
    show_list(form_of(context, output), columns, rows, models=found)


@letters.command("show")
def show_letter(context: typer.Context, letter_id: LetterArgument, output: OutputOption = None) -> None:
    """Show a dead letter, and what people decided about it."""
    with connected(context) as client:
        letter = client.operations.dead_letter(str(letter_id))
    _show_letter(letter, form_of(context, output))


@letters.command("redrive")
def redrive(
    context: typer.Context, letter_id: LetterArgument, reason: ReasonOption, output: OutputOption = None
) -> None:
    """Have its work done again, by a new ingest or import."""
    with connected(context) as client:
        letter = client.operations.redrive(str(letter_id), reason=reason)
    _show_letter(letter, form_of(context, output))


@letters.command("discard")
def discard(
    context: typer.Context, letter_id: LetterArgument, reason: ReasonOption, output: OutputOption = None
) -> None:
    """Let its work be; the dead letter is kept, closed."""
    with connected(context) as client:
        letter = client.operations.discard(str(letter_id), reason=reason)
    _show_letter(letter, form_of(context, output))


def _show_letter(letter: DeadLetter, form: Form) -> None:
    if show_record(form, letter):
        return
    show_facts(
        [
            ("Dead letter", letter.id),
            ("Status", letter.status),
            ("Stage", letter.stage),
            ("Code", letter.code),
            ("Reason", letter.reason),
            ("Attempts", letter.attempts),
            ("Ingest", letter.ingest_id),
            ("Import", letter.import_id),
            ("Redriven as", letter.redriven_as or letter.redriven_as_import),
            ("Message", letter.body),
            ("Created", moment(letter.created_date)),
        ]
    )
    if letter.actions:
        rows = [(moment(one.created_date), one.description, one.actor, one.reason) for one in letter.actions]
        show_table(("When", "What", "Who", "Why"), rows)
