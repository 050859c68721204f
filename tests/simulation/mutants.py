"""The product with one safety mechanism broken on purpose. The simulation must notice each within its budget of seeds:
that is how we know that it still bites.

A mutant replaces a function of the product while it is there. Where one mechanism alone is masked by another (a lost
hint is repeated by the reaper), the mutant breaks both and is named after both. Where a mechanism is against a rare
misfortune, the seeds of its hunt favour that misfortune, and its entry says so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import backfill_replicator.large
import replica_aggregator.step
import replica_aggregator.tally
import verifier.checks
import verifier.step
from common.adapters.objects.memory import MemoryBucket
from common.ledger import failing, settling
from common.runtime import housekeeping, leases, worker
from simulation.breaking import (
    Break,
    ack_first,
    asks_again,
    counted_messages,
    dead_letter_only,
    evidence_unwritten,
    extra_ignored,
    first_try_always,
    forgetful_relay,
    mismatch_passes,
    no_lease,
    no_reaping,
    nothing,
    nothing_in_rounds,
    one_state_forgotten,
    overwritten,
    reenterable,
    replaced,
    same_bag_unchecked,
    size_only,
    taken_unseen,
    unpinned,
    unread,
    with_changes,
)
from simulation.ledger import Ledger
from simulation.servers import in_processes
from simulation.shapes import TIGHT


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken mechanism."""

    told: str
    expected: frozenset[str]
    """The promises of which at least one must be seen broken."""
    budget: int
    """Seeds within which it must be found."""
    breaks: Break
    favours: Mapping[str, float] = field(default_factory=dict)
    """Rates that every seed of the hunt has, whatever else it draws: the misfortunes that this mechanism is against."""
    world: Mapping[str, Any] = field(default_factory=dict)
    """What of every seed's shape is given: see `simulation.shapes.draw`."""


_SLOW: Mapping[str, Any] = {"workers": 2, "haste": 8.0}
_FROZEN: Mapping[str, Any] = {"storage_class": "GLACIER"}
_LOST = {"message_lost": 0.3}
_WRONG_PARTS = {"flip_on_read": 0.1, "kill": 0.05, "kill_after": 0.05, "stale_answer": 0.0, "wrong_range": 0.0}
_NO_DEATHS = dict.fromkeys(
    ("kill", "pause", "ledger_refuses", "ledger_loses", "ledger_keeps_silent", "ledger_down"), 0.0
)
_WRONG_WRITES = {**_NO_DEATHS, "flip_on_write": 0.3, "copy_rots": 0.9}

MUTANTS: dict[str, Mutant] = {
    "no_fence": Mutant(
        "a worker that lost its row commits all the same",
        frozenset({"S8", "S4", "S6", "L4", "X1"}),
        60,
        with_changes((settling, "hold", nothing), (failing, "hold", nothing)),
        {"pause": 0.05},
        _SLOW,
    ),
    "no_lease": Mutant(
        "a row is taken from the worker that holds it",
        frozenset({"S8"}),
        60,
        no_lease,
        {"message_twice": 0.4, "message_late": 0.2},
        _SLOW,
    ),
    "no_reaper": Mutant("nobody repeats a lost hint", frozenset({"L1", "A2"}), 20, with_changes(no_reaping), _LOST),
    "reaper_forgets_copying": Mutant(
        "one state has no rule", frozenset({"L1", "A2"}), 40, one_state_forgotten, {"kill": 0.03}
    ),
    "no_outbox_and_no_reaper": Mutant(
        "hints are forgotten with the commit, and nobody repeats them",
        frozenset({"L1", "A2"}),
        20,
        with_changes((settling.outbox, "post", nothing), no_reaping),
    ),
    "ack_before_claim_and_no_reaper": Mutant(
        "a hint is acked before its row is claimed, and nobody repeats it",
        frozenset({"L1", "A2"}),
        40,
        with_changes((worker.Worker, "_act_on", ack_first), no_reaping),
        {"ledger_refuses": 0.05, "kill": 0.02},
    ),
    "unconfirmed_publish_and_no_reaper": Mutant(
        "the relay forgets hints that the broker did not confirm",
        frozenset({"L1", "A2"}),
        40,
        with_changes((housekeeping.outbox, "relay", forgetful_relay), no_reaping),
        {"broker_refuses": 0.1},
    ),
    "size_only": Mutant(
        "the copy's size is verified, not its bytes",
        frozenset({"S1"}),
        80,
        with_changes((verifier.checks, "_fault", size_only)),
        _WRONG_WRITES,
    ),
    "no_read_back": Mutant(
        "the copy is not read",
        frozenset({"S1"}),
        80,
        with_changes((verifier.checks.Check, "file", unread), (verifier.checks.Check, "files", nothing_in_rounds)),
        _WRONG_WRITES,
    ),
    "mismatch_passes": Mutant(
        "evidence is written and not looked at",
        frozenset({"S1", "S4", "S14"}),
        40,
        mismatch_passes,
        _WRONG_WRITES,
    ),
    "takes_up_unseen": Mutant(
        "parts of an earlier attempt are taken up, whatever they hold",
        frozenset({"A1", "A2"}),
        60,
        with_changes((backfill_replicator.large.LargeCopy, "_sent_before", taken_unseen)),
        _WRONG_PARTS,
        {"limits": TIGHT},
    ),
    "evidence_unwritten": Mutant("nobody counts what was proven", frozenset({"S1", "S4"}), 20, evidence_unwritten),
    "unconditional_put": Mutant(
        "an object is overwritten",
        frozenset({"S5"}),
        40,
        with_changes((MemoryBucket, "add", overwritten)),
        {"store_keeps_silent": 0.1, "kill_after": 0.05},
    ),
    "messages_are_counted": Mutant(
        "answered hints are counted, not verified rows", frozenset({"A1", "S4"}), 40, counted_messages
    ),
    "terminal_is_reenterable": Mutant(
        "an ingest that has ended goes on",
        frozenset({"S6"}),
        40,
        reenterable,
        {"operator_cancels": 0.9, "operator_fails": 0.9},
    ),
    "unpinned_source_and_no_digests": Mutant(
        "whatever lies at the source is copied",
        frozenset({"S1", "S3"}),
        60,
        unpinned,
        {"source_rewritten": 0.9, "source_rots": 0.5},
    ),
    "same_bag_unchecked": Mutant(
        "another valid bag passes", frozenset({"S3"}), 60, same_bag_unchecked, {"other_bag": 0.95}
    ),
    "extra_objects_ignored": Mutant(
        "what nobody listed stays unnoticed",
        frozenset({"S2"}),
        60,
        lambda stack, ledger: replaced(stack, replica_aggregator.tally.Tally, "whole", property(extra_ignored)),
        {"stray_object": 0.95},
    ),
    "asks_again_at_every_look": Mutant(
        "a thaw is asked for again and again", frozenset({"E2"}), 20, asks_again, world=_FROZEN
    ),
    "copies_again_after_a_crash": Mutant(
        "nobody looks what is there already",
        frozenset({"E1"}),
        40,
        first_try_always,
        {"kill": 0.03, "kill_after": 0.05},
        {"segment_files": 500},
    ),
    "buried_and_not_failed": Mutant(
        "the last attempt leaves the row as it is",
        frozenset({"L1", "A2"}),
        40,
        dead_letter_only,
        {"source_deleted": 0.9},
    ),
    "one_read": Mutant(
        "one flipped bit condemns a copy",
        frozenset({"A1"}),
        60,
        with_changes((verifier.checks, "READS", 1)),
        {"flip_on_read": 0.02, "stale_answer": 0.0, "wrong_range": 0.0},
    ),
    "no_renewals": Mutant(
        "leases end while work goes on",
        frozenset({"A1", "E1"}),
        60,
        with_changes((leases.Leases, "renew_all", nothing)),
        _NO_DEATHS,
        _SLOW,
    ),
}
"""Every mutant by name."""


@contextmanager
def broken(name: str, ledger: Ledger) -> Iterator[None]:
    """The product with this mechanism broken; whole, where `name` is empty."""
    with ExitStack() as stack:
        if name:
            MUTANTS[name].breaks(stack, ledger)
        yield


@dataclass(frozen=True, slots=True)
class Caught:
    """How long a mutant lived."""

    name: str
    seed: int | None
    """None: it survived its budget."""
    by: str
    seconds: float


def chase(ledger: Ledger, name: str) -> Caught:
    """Run seeds with the mutant until one breaks a promise that it must break."""
    from simulation.campaign import run_seed

    began = time.monotonic()
    mutant = MUTANTS[name]
    with broken(name, ledger):
        for seed in range(mutant.budget):
            found = {violation.invariant for violation in run_seed(ledger, seed, mutant=name).violations}
            if found & mutant.expected:
                return Caught(name, seed, ", ".join(sorted(found)), time.monotonic() - began)
    return Caught(name, None, "", time.monotonic() - began)


def hunt(names: list[str], *, processes: int) -> int:
    """Chase every mutant and print what became of each; 1 where one survives."""
    began, survived = time.monotonic(), list[str]()
    print(f"{'mutant':34} {'found at seed':>13} {'of':>4}  {'by':12} seconds")
    for caught in in_processes(chase, processes=processes, tasks=names):
        budget = MUTANTS[caught.name].budget
        seed = "SURVIVED" if caught.seed is None else str(caught.seed)
        print(f"{caught.name:34} {seed:>13} {budget:>4}  {caught.by:12} {caught.seconds:.1f}", flush=True)
        if caught.seed is None:
            survived.append(caught.name)
    took = time.monotonic() - began
    print(f"{len(names) - len(survived)} of {len(names)} mutants were found in {took:.0f} s")
    for name in survived:
        print(f"{name} ({MUTANTS[name].told}) survived: the simulation does not bite", file=sys.stderr)
    return 1 if survived else 0
