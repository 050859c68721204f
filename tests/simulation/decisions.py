"""Which faults happen: drawn from the seed's own rates, or read from a script.

Every place where something can go wrong asks here, and is counted. A run that is repeated with a script of (number of
the question → fault) meets exactly these faults: that is how a run is replayed, shrunk, and made from nothing but one
or two faults.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Fault:
    """Something goes wrong. `value`, from 0 up to 1, says how badly, where that can differ."""

    kind: str
    value: float = 0.5


Script = Mapping[int, Fault]


@dataclass(frozen=True, slots=True)
class Question:
    """A place where something could have gone wrong."""

    number: int
    site: str
    kinds: tuple[str, ...]
    inside: bool = False
    """Of a transaction of the ledger."""


@dataclass(slots=True)
class Decisions:
    """The faults of one run."""

    random: Random
    rates: Mapping[str, float] = field(default_factory=dict)
    script: Script | None = None
    calm: bool = False
    """From now on nothing goes wrong any more."""
    asked: int = 0
    injected: dict[int, tuple[str, Fault]] = field(default_factory=dict)
    """Number of the question → where, and what."""
    done: Counter[str] = field(default_factory=Counter)
    """Kind → how often it happened. What the seed's fate holds counts when it takes effect."""
    questions: list[Question] | None = None
    """Every question, where somebody wants to know."""
    inside: Callable[[], bool] = lambda: False
    """Whether a transaction is open."""
    parting: Callable[[Decisions], None] | None = None
    """Called at every question, before it is answered; it may let several runs go on from here, each with a script."""

    def ask(self, site: str, kinds: tuple[str, ...]) -> Fault | None:
        """What goes wrong here, if anything."""
        self.asked += 1
        if self.parting is not None:
            self.parting(self)
        if self.questions is not None and not self.calm:
            self.questions.append(Question(self.asked, site, kinds, self.inside()))
        if self.script is not None:
            fault = self.script.get(self.asked)
            if fault is not None and fault.kind not in kinds:
                fault = None
        else:
            fault = None if self.calm else self._drawn(kinds)
        if fault is not None:
            self.injected[self.asked] = (site, fault)
            self.done[fault.kind] += not site.startswith("fate")
        return fault

    def go_on(
        self,
        script: Script,
        *,
        questions: list[Question] | None = None,
        parting: Callable[[Decisions], None] | None = None,
    ) -> None:
        """From here on with other faults."""
        self.script, self.questions, self.parting = script, questions, parting

    def _drawn(self, kinds: tuple[str, ...]) -> Fault | None:
        drawn = self.random.random()
        for kind in kinds:
            drawn -= self.rates.get(kind, 0.0)
            if drawn < 0:
                return Fault(kind, self.random.random())
        return None

    def happened(self, *kinds: str) -> bool:
        return any(fault.kind in kinds for _, fault in self.injected.values())


RATES: dict[str, tuple[float, float]] = {
    # at every transaction, request and message of a process
    "kill": (0.0005, 0.02),
    "pause": (0.0005, 0.02),
    "stop": (0.0005, 0.01),
    "ledger_refuses": (0.001, 0.05),
    "ledger_loses": (0.001, 0.05),
    "ledger_keeps_silent": (0.001, 0.05),
    "store_refuses": (0.001, 0.1),
    "store_keeps_silent": (0.001, 0.1),
    "store_throttles": (0.001, 0.1),
    "truncated": (0.001, 0.1),
    "flip_on_read": (0.001, 0.03),
    "flip_on_write": (0.001, 0.05),
    "stale_answer": (0.001, 0.03),
    "wrong_range": (0.001, 0.03),
    "broker_refuses": (0.001, 0.1),
    "broker_keeps_silent": (0.001, 0.1),
    "message_lost": (0.01, 0.5),
    "message_twice": (0.01, 0.5),
    "message_late": (0.01, 0.5),
    "message_reordered": (0.01, 0.5),
    "restore_slow": (0.05, 0.5),
    "restore_stuck": (0.05, 0.3),
    "restore_short": (0.05, 0.5),
    "restore_refused": (0.01, 0.3),
    "callback_refused": (0.05, 0.8),
    "callback_hangs": (0.05, 0.8),
    "callback_unheard": (0.05, 0.5),
    "callback_gone": (0.01, 0.2),
}
"""Kind → the lowest and highest rate that a seed may give it."""

EVENTS: dict[str, float] = {
    "broker_lost": 0.3,
    "broker_down": 0.2,
    "ledger_down": 0.2,
    "source_down": 0.15,
    "destination_down": 0.15,
    "credentials_expire": 0.1,
    "second_campaign": 0.3,
    "source_rewritten": 0.06,
    "source_replaced": 0.06,
    "source_rots": 0.06,
    "source_deleted": 0.03,
    "source_freezes": 0.15,
    "other_bag": 0.05,
    "copy_rots": 0.08,
    "stray_object": 0.06,
    "operator_cancels": 0.15,
    "operator_fails": 0.08,
    "operator_hurries": 0.2,
}
"""Kind → how many seeds of all those that have such faults see one of it (a few see more)."""


KINDS = (*RATES, "kill_after", "kill_after_commit", *EVENTS)
"""Every kind of fault. Deaths after a request or commit took effect are as frequent as those before."""


def swarm(random: Random) -> dict[str, float]:
    """This seed's rates: about half of the kinds never happen, the others as often as the seed likes."""
    quiet = random.random() < 0.15
    share = random.choice((0.1, 0.3, 0.5, 0.7))
    rates = {}
    for kind, (low, high) in RATES.items():
        chosen, position = random.random(), random.random()
        if not quiet and chosen < share:
            rates[kind] = low * (high / low) ** position
    return rates
