"""backfill bags missing, backfill coverage: what is lacking, and how every space stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from backfill_client.output import Form, moment, show_facts, show_json, show_list, show_table, size
from backfill_client.reports import ClassAmount, Coverage, Restored, UnbackfilledBag, UnbackfilledTotals
from backfill_client.session import OutputOption, connected, form_of

_COLUMNS = (
    "space", "external_identifier", "version", "state", "stage", "code", "ingest_id", "files", "bytes", "evidence",
)  # fmt: skip
_STATES = "missing, in-progress, waiting-for-thaw, stalled, failed, not-required, listed, verified, damaged"
SpaceOption = Annotated[str | None, typer.Option(help="Only the bags of this space")]


def add_to(app: typer.Typer, bags: typer.Typer) -> None:
    """Add the commands to the command line and to its `bags`."""
    app.command("coverage")(show_coverage)
    app.command("cold")(show_cold)
    app.command("digest")(show_digest)
    app.command("uploads")(show_uploads)
    bags.command("missing")(show_missing)


def show_missing(
    context: typer.Context,
    at: Annotated[str, typer.Option(help="Id of the location")],
    space: SpaceOption = None,
    state: Annotated[
        list[str] | None, typer.Option(help=f"Only in this state, may be repeated: {_STATES}", show_default=False)
    ] = None,
    output: OutputOption = None,
) -> None:
    """List the bag versions that a location lacks, and why; with --state those in other states too."""
    with connected(context) as client:
        totals = client.reports.unbackfilled_page(at, space=space, states=state or (), limit=1).totals
        bags = list(client.reports.unbackfilled(at, space=space, states=state or ()))
    form = form_of(context, output)
    if form is Form.JSON:
        show_json({"location": at, "totals": totals, "results": bags})
    elif form is Form.CSV:
        show_list(form, _COLUMNS, [[getattr(bag, column) for column in _COLUMNS] for bag in bags], models=bags)
    else:
        show_table(
            ("Bag", "State", "Stage or code", "Ingest", "Files", "Size"),
            [
                (_name(bag), bag.state, bag.stage or bag.code, bag.ingest_id, f"{bag.files:,}", size(bag.bytes))
                for bag in bags
            ],
        )
        show_facts([("Total", f"{totals.bag_versions:,} bag versions, {size(totals.bytes)}: {_parts(totals)}")])


def _parts(totals: UnbackfilledTotals) -> str:
    always = [(totals.missing, "missing"), (totals.in_progress, "in progress"), (totals.failed, "failed")]
    sometimes = [
        (totals.waiting_for_thaw, "waiting for thaw"),
        (totals.stalled, "stalled"),
        (totals.not_required, "not required"),
        (totals.listed, "listed"),
        (totals.verified, "verified"),
        (totals.damaged, "damaged"),
    ]
    return ", ".join(f"{count:,} {name}" for count, name in [*always, *(one for one in sometimes if one[0])])


def _name(bag: UnbackfilledBag) -> str:
    return f"{bag.space}/{bag.external_identifier}/{bag.version}"


def show_coverage(context: typer.Context, space: SpaceOption = None, output: OutputOption = None) -> None:
    """Show how many bag versions of each space every location has, lacks or works on, and how healthy that is."""
    with connected(context) as client:
        found = client.reports.coverage(space=space)
    form = form_of(context, output)
    if form is Form.JSON:
        show_json(found)
    elif form is Form.CSV:
        columns = ("space", "health", "location", "required", "state", "bag_versions", "files", "bytes")
        show_list(form, columns, _rows(found), models=[found])
    else:
        _show_table(found)


def _rows(found: Coverage) -> Iterator[tuple[object, ...]]:
    for space in found.spaces:
        for place in space.locations:
            for state, amount in place.states.items():
                counts = (amount.bag_versions, amount.files, amount.bytes)
                yield space.id, space.health, place.id, place.required, state, *counts


def _show_table(found: Coverage) -> None:
    rows = []
    for space in found.spaces:
        for place in space.locations:
            states = ", ".join(f"{amount.bag_versions:,} {_spaced(state)}" for state, amount in place.states.items())
            rows.append((space.id, space.health, place.id, "yes" if place.required else "", states))
    show_table(("Space", "Health", "Location", "Required", "Bag versions"), rows)
    show_facts(
        [
            ("Total", f"{found.bag_versions:,} bag versions, {found.files:,} files, {size(found.bytes)}"),
            ("At risk", f"{found.at_risk:,} (fewer than two copies, or none that was read back)"),
            ("Health", found.health),
            ("At", moment(found.date)),
        ]
    )


def _spaced(state: str) -> str:
    """ "waitingForThaw" for people."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in state)


_CLASS_COLUMNS = (
    "location", "space", "storage_class", "archived", "bags", "files", "bytes", "restoring_files", "restoring_bytes",
    "restored_files", "restored_bytes", "seen_from", "seen_to",
)  # fmt: skip


def show_cold(
    context: typer.Context,
    at: Annotated[str | None, typer.Option(help="Only what lies at the location of this id")] = None,
    space: SpaceOption = None,
    by_space: Annotated[bool, typer.Option("--by-space", help="A line for each space")] = False,
    output: OutputOption = None,
) -> None:
    """Show what lies in which storage class, what of it is being brought back, and from when that is known."""
    with connected(context) as client:
        found = client.reports.cold(location=at, space=space, by_space=by_space)
    form = form_of(context, output)
    if form is Form.JSON:
        show_json(found)
    elif form is Form.CSV:
        show_list(form, _CLASS_COLUMNS, [_class_row(amount) for amount in found.results], models=found.results)
    else:
        columns = ("Location", *(("Space",) if by_space else ()), "Class", "Bag versions", "Files", "Size")
        rows = [_shown_class(amount, by_space=by_space) for amount in found.results]
        show_table((*columns, "Being restored", "Restored", "Seen"), rows)
        show_facts([("At", moment(found.date))])


def _class_row(amount: ClassAmount) -> list[Any]:
    restores = (amount.restoring, amount.restored)
    counts = [amount.bag_versions, amount.files, amount.bytes, *(n for one in restores for n in (one.files, one.bytes))]
    place = [amount.location, amount.space, amount.storage_class, amount.archived]
    return [*place, *counts, amount.seen_from, amount.seen_to]


def _shown_class(amount: ClassAmount, *, by_space: bool) -> tuple[Any, ...]:
    first, last = amount.seen_from, amount.seen_to
    seen = "never" if first is None else str(first) if first == last else f"{first} to {last}"
    place = (amount.location, *((amount.space,) if by_space else ()), amount.storage_class)
    counts = (f"{amount.bag_versions:,}", f"{amount.files:,}", size(amount.bytes))
    return (*place, *counts, _files(amount.restoring), _files(amount.restored), seen)


def _files(some: Restored) -> str:
    return f"{some.files:,} ({size(some.bytes)})" if some.files else ""


def show_digest(
    context: typer.Context,
    hours: Annotated[int, typer.Option(min=1, max=744, help="How far back")] = 24,
    html: Annotated[bool, typer.Option("--html", help="As a page for a browser")] = False,
    output: OutputOption = None,
) -> None:
    """Tell what happened in the last hours, how everything stands, and what waits for somebody."""
    with connected(context) as client:
        if form_of(context, output) is Form.JSON:
            show_json(client.reports.digest(hours=hours))
        else:
            print(client.reports.digest_text(hours=hours, form="html" if html else "md"), end="")


def show_uploads(
    context: typer.Context,
    at: Annotated[str, typer.Option(help="Id of the location")],
    output: OutputOption = None,
) -> None:
    """List the uploads at a location that nobody finished, as the last daily look found them: stores bill them."""
    with connected(context) as client:
        found = list(client.reports.uploads(at))
    rows = [(one.path, one.owner, moment(one.since), moment(one.aborted_date), one.upload_id) for one in found]
    show_list(form_of(context, output), ("path", "owner", "since", "aborted", "upload_id"), rows, models=found)
