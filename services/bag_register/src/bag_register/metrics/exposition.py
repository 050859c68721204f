"""How everything stands, as metrics: names, labels and the one line of help that each has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bag_register.reports.unbackfilled import name_of
from common.domain.coverage import CopyState, Health, health
from common.ledger.coverage.counting import Matrix
from common.ledger.standing import Standing

Values = Mapping[tuple[str, ...], float]


def exposition(found: Standing, *, seconds: float) -> bytes:
    """In the text format of Prometheus; `seconds`: how long the ledger took to answer."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected([*_work(found), *_copies(found), _one("ledger_read_seconds", _READ, seconds)]))
    return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._families


_READ = "How long it took to read these figures from the ledger"


def _work(found: Standing) -> Iterator[GaugeMetricFamily]:
    yield _family("ingests", "Ingests under way, by status", ["status"], _by(found.ingests))
    yield _family("ingests_ended_last_day", "Ingests that ended in 24 hours, by status", ["status"], _by(found.ended))
    yield _one("replicas_stalled", "Replicas that stand still for longer than their stage allows", found.stalled)
    yield _one("dead_letters", "Dead letters that nobody has decided about", found.dead_letters)
    yield _one("outbox_messages", "Messages that the broker has not confirmed yet", found.waiting)
    yield _one("outbox_oldest_seconds", "How long the oldest of them has waited", found.oldest)


def _copies(found: Standing) -> Iterator[GaugeMetricFamily]:
    yield _family(
        "copies_damaged", "Copies whose last reading found other bytes or none", ["location"], _by(found.damaged)
    )
    told = "Copies that a fixity policy wants read and that nobody has read for too long; space is empty for all"
    yield _family(
        "copies_overdue",
        told,
        ["location", "space"],
        {(location, space): number for (location, space), number in found.overdue.items()},
    )
    told = "Bag versions at each location, by what holds of them there"
    yield _family("bag_versions", told, ["location", "state"], _states(found.matrix))
    at_risk = sum(found.matrix.at_risk.values())
    yield _one("bag_versions_at_risk", "Bag versions with fewer than two copies or none that was read back", at_risk)
    yield _family("spaces", "Spaces by their health against the policy", ["health"], _by(_health(found.matrix)))


def _states(matrix: Matrix) -> Values:
    """Every location has every state, so that an alert on one never waits for a series to appear."""
    places = {place.location for place in matrix.places}
    counted: Counter[tuple[str, ...]] = Counter({(place, name_of(state)): 0 for place in places for state in CopyState})
    for place in matrix.places:
        counted.update({(place.location, name_of(state)): amount.bags for state, amount in place.states.items()})
    return counted


def _health(matrix: Matrix) -> dict[str, int]:
    places = {space: list(found) for space, found in groupby(matrix.places, key=lambda place: place.space)}
    counted = Counter(health(places.get(space, []), at_risk=matrix.at_risk.get(space, 0)) for space in matrix.bags)
    return {state.value.lower().replace(" ", "_"): counted[state] for state in Health}


def _by(values: Mapping[str, float]) -> Values:
    return {(name,): value for name, value in values.items()}


def _family(name: str, told: str, labels: list[str], values: Values) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"backfill_{name}", told, labels=labels)
    for given, value in sorted(values.items()):
        family.add_metric(given, value)
    return family


def _one(name: str, told: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"backfill_{name}", told, value=value)
