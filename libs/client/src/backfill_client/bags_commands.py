"""backfill bags …"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from backfill_client.client import BackfillClient
from backfill_client.import_costs import costs_of, frozen_of, show_import_costs, spent_on
from backfill_client.imports import ImportPreview
from backfill_client.models import Bag, BagLine, BagVersionSummary, Copy, Import
from backfill_client.output import Form, moment, plain, show_facts, show_json, show_list, show_table, size
from backfill_client.session import Exit, OutputOption, connected, form_of

app = typer.Typer(help="Bags and where their copies lie.", no_args_is_help=True)

SpaceArgument = Annotated[str, typer.Argument(help='The bag\'s namespace, such as "digitised"')]
IdentifierArgument = Annotated[str, typer.Argument(help='The bag\'s external identifier, such as "b12345"')]


def _version(text: str | None) -> str | None:
    """People write 2 for v2."""
    return f"v{text}" if text and text.isdecimal() else text


VersionOption = Annotated[str | None, typer.Option(help='Such as "v2"; the latest if left out', callback=_version)]


@app.command("import")
def import_bags(
    context: typer.Context,
    location: Annotated[str, typer.Argument(help="Id of the location that holds the bags")],
    prefix: Annotated[str, typer.Option(help="Only what lies below this prefix of the location")] = "",
    inventory: Annotated[
        str | None, typer.Option(help="LOCATION:KEY of an S3 Inventory's manifest.json, read in place of listing")
    ] = None,
    manifests: Annotated[
        str | None,
        typer.Option(help="LOCATION:PREFIX of another register's storage manifests, which name the bags"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only look: list what would be registered, and what is odd")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all bags have been looked at")] = False,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks")] = 2,
    output: OutputOption = None,
) -> None:
    """Register the bags that already lie at a location.

    With --wait, and with --dry-run, the exit code is 1 where the import failed or refused a bag.
    """
    listed, named = _place(inventory, "--inventory"), _place(manifests, "--manifests")
    with connected(context) as client:
        told = client.preview_import(location, prefix=prefix, inventory=listed, manifests=named) if dry_run else None
        found = client.start_import(location, prefix=prefix, register=not dry_run, inventory=listed, manifests=named)
        if wait or dry_run:
            *_, found = client.watch_import(found.id, every=every)
        _show_import(client, found, form_of(context, output), told)
    if found.finished and (found.state == "failed" or found.counts.refused):
        raise typer.Exit(Exit.FAILED)


def _place(text: str | None, option: str) -> tuple[str, str] | None:
    if text is None:
        return None
    location, colon, key = text.partition(":")
    if not colon:
        raise typer.BadParameter(f"{text!r} must be a location's id, a colon and a key", param_hint=option)
    return location, key


def _show_import(client: BackfillClient, found: Import, form: Form, told: ImportPreview | None) -> None:
    problems = list(client.import_problems(found.id)) if found.finished else found.problems
    if form is Form.JSON:
        document = plain(found.model_copy(update={"problems": problems, "next": None}))
        show_json(document | (costs_of(told) if told else {}))
        return
    columns = ("bag", "severity", "code", "message")
    rows = [(p.bag, p.severity, p.code, p.message) for p in problems]
    if form is Form.CSV:
        show_list(form, columns, rows, models=problems)
        return
    counts = found.counts
    show_facts(
        [
            ("Import" if found.registers else "Dry run", found.id),
            ("Location", f"{found.location}/{found.prefix}" if found.prefix else found.location),
            ("State", found.state),
            ("Registered" if found.registers else "Would register", counts.registered),
            ("Known", counts.known),
            ("Refused", counts.refused),
            ("Waiting for thaw", found.waiting_for_thaw or None),
            ("Frozen", frozen_of(found.thawing)),
            ("Spent", spent_on(found.thawing)),
            ("Error", f"{found.error.code}: {found.error.description}" if found.error else None),
        ]
    )
    if told:
        show_import_costs(told)
    if problems:
        show_table(("Bag", "Severity", "Code", "Problem"), rows)


@app.command("list")
def list_bags(
    context: typer.Context,
    space: Annotated[str | None, typer.Option(help="Only of this space")] = None,
    at: Annotated[str | None, typer.Option(help="Only those registered at this location")] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most so many; all if left out")] = None,
    output: OutputOption = None,
) -> None:
    """List bag versions by name, and where each of them lies."""
    form = form_of(context, output)
    with connected(context) as client:
        found = list(client.bags(space=space, location=at, limit=limit))
    if form is Form.CSV:
        columns: tuple[str, ...] = (*_NAMED, "created_date", "files", "bytes", "locations", "evidence", "depends_on")
        rows: list[tuple[object, ...]] = [
            (*_named(one), one.created_date.isoformat(), one.files, one.bytes, *_copies_of(one)) for one in found
        ]
    else:
        columns = ("Bag", "Registered", "Files", "Size", "Copies", "Needs")
        rows = [
            (
                one.name,
                moment(one.created_date),
                f"{one.files:,}",
                size(one.bytes),
                _shown(one.copies),
                _needs(one),
            )
            for one in found
        ]
    show_list(form, columns, rows, models=found)


_NAMED = ("space", "external_identifier", "version")
"""As the API's own CSV names them, so that a list can be a campaign's."""


def _copies_of(bag: BagLine) -> tuple[str, str, str]:
    return " ".join(bag.locations), " ".join(copy.evidence for copy in bag.copies), " ".join(bag.depends_on)


def _needs(bag: BagLine | BagVersionSummary) -> str:
    return ", ".join(bag.depends_on)


def _shown(copies: Sequence[Copy]) -> str:
    """ "cold (E1), azure (E3)"."""
    return ", ".join(f"{copy.id} ({copy.evidence})" if copy.evidence else copy.id for copy in copies)


def _named(bag: BagLine) -> tuple[str, str, str]:
    return bag.space, bag.external_identifier, bag.version


@app.command("show")
def show_bag(
    context: typer.Context,
    space: SpaceArgument,
    external_identifier: IdentifierArgument,
    version: VersionOption = None,
    output: OutputOption = None,
) -> None:
    """Show a bag version: what it holds and where it lies."""
    with connected(context) as client:
        bag = client.get_bag(space, external_identifier, version=version)
    form = form_of(context, output)
    if form is Form.JSON:
        show_json(bag)
    elif form is Form.CSV:
        show_list(form, _BAG_COLUMNS, [_bag_row(bag)], models=[bag])
    else:
        _show_bag(bag)


_BAG_COLUMNS = ("bag", "version", "registered", "files", "bytes", "checksums", "primary", "replicas")


def _bag_row(bag: Bag) -> tuple[object, ...]:
    files = [*bag.manifest.files, *bag.tag_manifest.files]
    replicas = " ".join(copy.id for copy in bag.replica_locations)
    counts = len(files), sum(file.size for file in files), bag.manifest.checksum_algorithm
    return bag.id, bag.version, bag.created_date.isoformat(), *counts, bag.location.id, replicas


def _show_bag(bag: Bag) -> None:
    files = [*bag.manifest.files, *bag.tag_manifest.files]
    show_facts(
        [
            ("Bag", f"{bag.id}/{bag.version}"),
            ("Registered", moment(bag.created_date)),
            ("Files", f"{len(files):,} ({size(sum(file.size for file in files))})"),
            ("Checksums", bag.manifest.checksum_algorithm),
            ("Bagging date", bag.info.bagging_date),
            ("Needs", ", ".join(bag.depends_on) or None),
        ]
    )
    copies = [("primary", bag.location), *(("replica", location) for location in bag.replica_locations)]
    show_table(
        ("Copy", "Location", "Evidence", "Provider", "Bucket", "Path"),
        [(role, at.id, at.evidence, at.provider, at.bucket, at.path) for role, at in copies],
    )


@app.command("versions")
def show_versions(
    context: typer.Context,
    space: SpaceArgument,
    external_identifier: IdentifierArgument,
    before: Annotated[str | None, typer.Option(help='Only earlier ones than this, such as "v5"')] = None,
    output: OutputOption = None,
) -> None:
    """List a bag's versions, newest first."""
    with connected(context) as client:
        versions = client.get_versions(space, external_identifier, before=before)
    rows = [(one.version, moment(one.created_date), _shown(one.locations), _needs(one)) for one in versions]
    show_list(form_of(context, output), ("Version", "Registered", "Copies", "Needs"), rows, models=versions)
