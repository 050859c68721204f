"""`backfill check` and `backfill evidence verify`. What they need is imported when they run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from backfill_check.depth import Depth
    from backfill_check.judging import Place
    from backfill_check.register import Ledger, Target

LedgerOption = Annotated[
    str, typer.Option("--ledger", envvar="BACKFILL_DATABASE_URL", help="DSN of the ledger; a role that may only SELECT")
]
LocationsOption = Annotated[
    Path,
    typer.Option("--locations", envvar="BACKFILL_LOCATIONS", help="Locations file, with keys that only read"),
]


class Form(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"


def check(
    target: Annotated[
        str,
        typer.Argument(help="A bag (space/identifier or …/v1), a space, or a location; all if left out"),
    ] = "",
    ledger: LedgerOption = "",
    locations: LocationsOption = Path("locations.toml"),
    at: Annotated[list[str] | None, typer.Option("--at", help="Only at this location; may be repeated")] = None,
    listing: Annotated[bool, typer.Option("--list", help="Compare names and sizes only (the default)")] = False,
    read: Annotated[bool, typer.Option("--read", help="Read every byte, with all algorithms of the manifests")] = False,
    sample: Annotated[str, typer.Option("--sample", help="Read this share of the files, such as 1%")] = "",
    seed: Annotated[str, typer.Option("--seed", help="Which files a sample holds; another seed, another sample")] = "",
    oldest_first: Annotated[
        bool, typer.Option("--oldest-first", help="First what was read back longest ago; does not look for orphans")
    ] = False,
    max_duration: Annotated[str, typer.Option("--max-duration", help="Stop after so long: PT2H, or seconds")] = "",
    state: Annotated[Path | None, typer.Option("--state", help="File to go on from, and to keep the place in")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Write a line for what agrees too")] = False,
    output: Annotated[Form, typer.Option("--output", "-o", help="text, or one JSON document a line")] = Form.TEXT,
) -> None:
    """Hold the register against the stores, independently of what copied and verified.

    Signs: = agrees, + registered and not stored, - stored and not registered, * other bytes, ! could not be told.
    Exit codes: 0 all agrees, 1 differences, 2 usage, 3 something could not be told, 5 stopped before the end.
    """
    from backfill_check.findings import Finding, Sign
    from backfill_check.running import State, Wish, run

    with _telling(), _register(ledger) as register:
        places = _places(locations, register, at, target)
        wish = Wish(
            _target(target, {place.id for place in places}),
            _depth(listing=listing, read=read, sample=sample, seed=seed),
            oldest_first=oldest_first,
            seconds=_seconds(max_duration),
        )

        def tell(finding: Finding) -> None:
            if everything or finding.sign is not Sign.SAME:
                print(finding.document() if output is Form.JSON else finding.line())

        summary = run(wish, places, register=register, state=State(state, wish), tell=tell)
        if output is Form.JSON:
            print(summary.document())
        else:
            print("\n".join(summary.lines()), file=sys.stderr)
    raise typer.Exit(summary.exit_code)


def verify(
    ledger: LedgerOption = "",
    checkpoints: Annotated[
        str,
        typer.Option(
            envvar="BACKFILL_EVIDENCE_CHECKPOINTS", help="Where checkpoints are: a directory or a location's id"
        ),
    ] = "",
    locations: LocationsOption = Path("locations.toml"),
    public_key: Annotated[
        str, typer.Option(help="Ed25519 public key in hex digits that every checkpoint must be signed with")
    ] = "",
    output: Annotated[Form, typer.Option("--output", "-o", help="text or json")] = Form.TEXT,
) -> None:
    """Walk the chain of evidence and name the first row that was changed, removed or inserted.

    Without --checkpoints a chain that was made anew as a whole is not noticed.
    Exit codes: 0 whole, 1 changed, 2 usage, 3 ledger or checkpoints cannot be reached.
    """
    import psycopg

    from backfill_check.chain import checkpoints as reading
    from backfill_check.chain.verifying import verify as walk

    with _telling():
        documents = reading.read(_documents(checkpoints, locations), key=public_key or None)
        try:
            with psycopg.connect(_dsn(ledger)) as connection:
                report = walk(connection, documents)
        except psycopg.OperationalError as error:
            _unreachable(f"the ledger (BACKFILL_DATABASE_URL): {error}")
    if output is Form.JSON:
        print(
            json.dumps(
                {
                    "whole": report.whole,
                    "links": report.links,
                    "unsealed": report.unsealed,
                    "checkpoints": report.checkpoints,
                    "faults": report.faults,
                }
            )
        )
    else:
        print(f"{report.links:,} links, {report.checkpoints:,} checkpoints, {report.unsealed:,} rows not sealed yet")
        print("\n".join(report.faults) if report.faults else "The chain is whole.")
    raise typer.Exit(0 if report.whole else 1)


def _documents(checkpoints: str, locations: Path) -> list[tuple[str, bytes]]:
    from backfill_check.chain import checkpoints as reading
    from backfill_check.stores.opening import open_reader
    from common.adapters.objects.configuration import read_locations

    if not checkpoints:
        return []
    if locations.exists():
        for location, config in read_locations(locations).items():
            if location.value == checkpoints:
                return list(reading.of_location(open_reader(config), config.prefix))
    if not Path(checkpoints).is_dir():
        raise typer.BadParameter(f"{checkpoints} is neither a location nor a directory", param_hint="--checkpoints")
    return list(reading.of_directory(Path(checkpoints)))


def _places(locations: Path, register: Ledger, at: list[str] | None, target: str) -> list[Place]:
    """The locations to look at: those asked for, that the file and the ledger both know."""
    from backfill_check.judging import Place
    from backfill_check.stores.opening import open_reader
    from common.adapters.objects.configuration import read_locations

    configs = {location.value: config for location, config in read_locations(locations).items()}
    wanted = set(at or ()) | ({target} if target in configs else set())
    if unknown := wanted - configs.keys():
        raise typer.BadParameter(
            f"{', '.join(sorted(unknown))}: known are {', '.join(sorted(configs))}", param_hint="--at"
        )
    known = tuple(config.location for config in configs.values())
    held = register.locations()
    return [
        Place(config.location, open_reader(config), config.names, known)
        for name, config in sorted(configs.items())
        if name in held and (not wanted or name in wanted)
    ]


def _target(text: str, locations: set[str]) -> Target:
    """space, space/identifier or space/identifier/v1; a location's id stands for all that is there."""
    from backfill_check.register import Target

    if not text or text in locations:
        return Target()
    space, _, rest = text.partition("/")
    name, _, last = rest.rpartition("/")
    if name and last[:1] == "v" and last[1:].isdigit():
        return Target(space, name, int(last[1:]))
    return Target(space, rest or None)


def _depth(*, listing: bool, read: bool, sample: str, seed: str) -> Depth:
    from backfill_check import depth

    if listing + read + bool(sample) > 1:
        raise typer.BadParameter("--list, --read and --sample exclude each other")
    try:
        return depth.READ if read else depth.sample(sample, seed=seed) if sample else depth.LIST
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--sample") from None


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text) if text[:1].isdigit() else TypeAdapter(timedelta).validate_python(text).total_seconds()
    except ValueError:
        told = f"{text!r} is no duration: write PT2H, or seconds"
        raise typer.BadParameter(told, param_hint="--max-duration") from None


@contextmanager
def _register(dsn: str) -> Iterator[Ledger]:
    from backfill_check.register import Ledger

    register = Ledger(_dsn(dsn))
    try:
        yield register
    finally:
        register.close()


def _dsn(text: str) -> str:
    if not text:
        raise typer.BadParameter("is needed: postgresql://user:password@host/name", param_hint="BACKFILL_DATABASE_URL")
    return text.replace("postgresql+psycopg://", "postgresql://")


@contextmanager
def _telling() -> Iterator[None]:
    """Tell what is wrong in plain words, with the status that says what kind of wrong it is."""
    from backfill_check.stores import Unreachable
    from common.errors import ConfigurationError

    try:
        yield
    except Unreachable as error:
        _unreachable(str(error))
    except (ConfigurationError, ValueError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None


def _unreachable(told: str) -> NoReturn:
    print(f"cannot be reached: {told}", file=sys.stderr)
    raise typer.Exit(3)
