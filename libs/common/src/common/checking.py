"""What the check of every service shares: from settings to answers, and how they are told."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from common.adapters.objects.configuration import LocationConfig, read_locations
from common.adapters.objects.registry import open_cold_store, open_store
from common.assembly import courier_opener
from common.domain.location import LocationId
from common.errors import BackfillError, ConfigurationError
from common.ledger.engine import open_engine
from common.probing.findings import Finding, Verdict
from common.probing.ledger import known_object, ledger
from common.probing.stores import Place, StoreProbe
from common.probing.surroundings import broker, disk, store_clock
from common.runtime.logs import set_up_logs
from common.runtime.settings import WorkerSettings, worker_name

Configs = Mapping[LocationId, LocationConfig]


@dataclass(frozen=True, slots=True)
class Duties:
    """What a service has to be able to do at the locations it is configured with."""

    at_sources: tuple[StoreProbe, ...] = ()
    at_destinations: tuple[StoreProbe, ...] = ()
    elsewhere: Callable[[Configs], Iterable[Finding]] = lambda _: ()
    """What else it needs."""


def check(service: str, settings: WorkerSettings, duties: Duties, words: Sequence[str]) -> int:
    """Probe everything, print a line for each answer, and return the exit status: 1 where anything failed.

    Raises ConfigurationError for a location that is none.
    """
    told = _parser(service).parse_args(words)
    set_up_logs(service=service, log_format=settings.log_format, level="ERROR")
    configs = read_locations(settings.locations)
    named = told.destination or [part.strip() for part in os.environ.get("BACKFILL_DESTINATIONS", "").split(",")]
    destinations = _named(named, configs) or _writable(configs)
    sources = _named(told.source, configs) or [one for one in configs if one not in destinations] or list(configs)
    findings = list(_all(service, settings, duties, configs, sources=sources, destinations=destinations))
    sys.stdout.write(_json(service, findings) if told.output == "json" else _text(service, findings))
    return int(any(one.verdict is Verdict.FAILED for one in findings))


def _all(
    service: str,
    settings: WorkerSettings,
    duties: Duties,
    configs: Configs,
    *,
    sources: Sequence[LocationId],
    destinations: Sequence[LocationId],
) -> Iterator[Finding]:
    engine = open_engine(settings.database_url.get_secret_value(), name=worker_name(service), pool_size=1)
    try:
        yield from ledger(engine, locations=[config.location for config in configs.values()], now=_now)
        known = {one: known_object(engine, config.location) for one, config in configs.items()}
    finally:
        engine.dispose()
    yield broker(courier_opener(settings), queue=f"{service}_probe")
    yield from disk()
    probes = {one: duties.at_sources if one in sources else () for one in configs}
    for one in destinations:
        probes[one] = tuple(dict.fromkeys((*probes[one], *duties.at_destinations)))
    for one, asked in probes.items():
        yield from at_store(configs[one], asked, known=known[one]) if asked else ()
    yield from duties.elsewhere(configs)


def at_store(config: LocationConfig, probes: Iterable[StoreProbe], *, known: str | None = None) -> Iterator[Finding]:
    """Each probe's answer there, and the clock's. Nothing is tried again: a check that hangs tells nothing."""
    try:
        place = Place(
            location=config.location,
            store=open_store(config, retry=False),
            cold=open_cold_store(config, retry=False),
            known=known,
            archives=config.archive_class is not None,
        )
    except BackfillError as error:
        yield Finding(f"{config.id}: open", Verdict.FAILED, str(error), error.remedy)
        return
    if (time := store_clock(place, now=_now)) is not None:
        yield time
    for probe in probes:
        yield probe(place)


def _writable(configs: Configs) -> list[LocationId]:
    return [one for one, config in configs.items() if config.archive_class is None]


def _named(names: Iterable[str], configs: Configs) -> list[LocationId]:
    wanted = [name for name in names if name]
    known = {one.value: one for one in configs}
    if unknown := [name for name in wanted if name not in known]:
        raise ConfigurationError(f"{', '.join(unknown)} is not in the locations file. Choose from: {', '.join(known)}.")
    return [known[name] for name in wanted]


def _parser(service: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {service} check",
        description="Probe every right and setting this service needs; the exit status is 1 where one is missing.",
    )
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument(
        "--source", action="append", default=[], help="id of a location to read from; those that are no destination"
    )
    parser.add_argument(
        "--destination",
        action="append",
        default=[],
        help="id of a location to write to; BACKFILL_DESTINATIONS, or every location without an archive_class",
    )
    return parser


def _now() -> datetime:
    return datetime.now(UTC)


def _json(service: str, findings: Iterable[Finding]) -> str:
    return json.dumps({"service": service, "findings": [asdict(one) for one in findings]}, ensure_ascii=False) + "\n"


def _text(service: str, findings: Sequence[Finding]) -> str:
    lines = [f"{one.verdict:8} {service} {one.probe}{': ' if one.message else ''}{one.message}" for one in findings]
    remedies = [f"\n         {one.remedy}" if one.remedy else "" for one in findings]
    return "".join(f"{line}{remedy}\n" for line, remedy in zip(lines, remedies, strict=True))
