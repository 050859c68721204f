"""backfill simulate"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from backfill_client.output import Form, advise, complain, show_list
from backfill_client.session import Exit, OutputOption, form_of

_MIX = "GLACIER=80,DEEP_ARCHIVE=20"


def simulate(
    context: typer.Context,
    bags: Annotated[int, typer.Option(min=1, help="Bags of an archive that is made up")] = 260_000,
    objects: Annotated[int, typer.Option(min=1, help="Objects of it")] = 80_000_000,
    size: Annotated[str, typer.Option("--bytes", help='Bytes of it, such as "60 TB"')] = "60 TB",
    mix: Annotated[str, typer.Option(help="Storage classes of it, with their weights")] = _MIX,
    inventory: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Instead: a CSV with bag,storage_class,objects,bytes or key,storage_class,size; .gz will do",
        ),
    ] = None,
    s3_inventory: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Instead: manifest.json of an S3 Inventory, files beside it"),
    ] = None,
    depth: Annotated[int, typer.Option(min=1, help="Folders of a key that make its bag")] = 3,
    tier: Annotated[str, typer.Option(help="How fast to thaw: Expedited, Standard or Bulk")] = "Bulk",
    copy_rate: Annotated[str, typer.Option(help="What copying reaches")] = "100 MB/s",
    copy_objects: Annotated[float | None, typer.Option(min=0.001, help="Objects per second it reaches at most")] = None,
    budget: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Locations file whose [locations.<id>.thaw_budget] is tried"),
    ] = None,
    location: Annotated[str | None, typer.Option(help="Which of its locations, if it has several")] = None,
    prices: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Price book")] = None,
    region: Annotated[str, typer.Option(help="Whose prices")] = "us-east-1",
    naive: Annotated[bool, typer.Option(help="Also thaw everything first, and bag by bag")] = True,
    plots: Annotated[Path | None, typer.Option(file_okay=False, help="Folder for pictures (needs matplotlib)")] = None,
    seed: Annotated[int, typer.Option(help="Of the dice")] = 1,
    output: OutputOption = None,
) -> None:
    """How long a campaign would take and what thawing would cost: the service's plan on a virtual clock."""
    try:
        from backfill_client.simulating import report, running
    except ImportError as missing:
        complain(f"{missing}: install backfill-client[simulate], which brings the service's plan and matplotlib.")
        raise typer.Exit(Exit.USAGE) from None
    archive = {"bags": bags, "objects": objects, "size": size, "mix": mix, "seed": seed}
    try:
        parts = running.archive(archive, inventory=inventory, s3_inventory=s3_inventory, depth=depth)
        terms = running.terms_of(
            tier=tier, copy_rate=copy_rate, objects_rate=copy_objects, prices=prices, region=region, seed=seed
        )
        limits = running.budget_of(_tables(budget), location, copy_rate=copy_rate)
    except running.BadQuestion as error:
        raise typer.BadParameter(str(error)) from None
    results = report.run(parts, terms, running.policies(limits, naive=naive))
    form = form_of(context, output)
    if form is Form.TABLE:
        print(running.about(parts, terms))
    show_list(form, report.COLUMNS, [one.row() for one in results], models=results)
    if plots is not None:
        _draw(results, plots)


def _tables(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text("utf-8")).get("locations", {})
    except ValueError as error:
        raise typer.BadParameter(f"{path} is no TOML: {error}", param_hint="--budget") from None
    return tables


def _draw(results: Any, folder: Path) -> None:
    try:
        from backfill_client.simulating.plots import draw

        for path in draw(results, folder):
            advise(f"Drawn: {path}")
    except ImportError as missing:
        complain(f"{missing}: install backfill-client[simulate] for pictures.")
        raise typer.Exit(Exit.USAGE) from None
