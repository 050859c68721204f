"""The product with one safety mechanism broken on purpose. The simulation must notice each within its budget of seeds:
that is how we know that it still bites.

A mutant replaces a function of the product while it is there. Where one mechanism alone is masked by another (a lost
hint is repeated by the reaper), the mutant breaks both and is named after both.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import replica_aggregator.step
import replica_aggregator.tally
import verifier.checks
import verifier.step
from common.adapters.objects.memory import MemoryBucket
from common.ledger import claims, failing, settling
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
    frozen_is_fatal,
    later,
    mismatch_passes,
    no_reaping,
    nothing,
    one_state_forgotten,
    overwritten,
    reenterable,
    replaced,
    same_bag_unchecked,
    size_only,
    unpinned,
    unread,
    with_changes,
)
from simulation.ledger import Ledger
from simulation.servers import in_processes


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken mechanism."""

    told: str
    expected: frozenset[str]
    """The promises of which at least one must be seen broken."""
    budget: int
    """Seeds within which it must be found."""
    breaks: Break


MUTANTS: dict[str, Mutant] = {
    "no_fence": Mutant(
        "a worker that lost its row commits all the same",
        frozenset({"S8", "S4", "S6", "L4", "X1"}),
        600,
        with_changes((settling, "hold", nothing), (failing, "hold", nothing)),
    ),
    "no_lease": Mutant(
        "a row is taken from the worker that holds it",
        frozenset({"S8"}),
        200,
        with_changes((claims, "NOW", later)),
    ),
    "no_reaper": Mutant("nobody repeats a lost hint", frozenset({"L1", "A2"}), 100, with_changes(no_reaping)),
    "reaper_forgets_copying": Mutant("one state has no rule", frozenset({"L1", "A2"}), 300, one_state_forgotten),
    "no_outbox_and_no_reaper": Mutant(
        "hints are forgotten with the commit, and nobody repeats them",
        frozenset({"L1", "A2"}),
        20,
        with_changes((settling.outbox, "post", nothing), no_reaping),
    ),
    "ack_before_claim_and_no_reaper": Mutant(
        "a hint is acked before its row is claimed, and nobody repeats it",
        frozenset({"L1", "A2"}),
        100,
        with_changes((worker.Worker, "_act_on", ack_first), no_reaping),
    ),
    "unconfirmed_publish_and_no_reaper": Mutant(
        "the relay forgets hints that the broker did not confirm",
        frozenset({"L1", "A2"}),
        200,
        with_changes((housekeeping.outbox, "relay", forgetful_relay), no_reaping),
    ),
    "size_only": Mutant(
        "the copy's size is verified, not its bytes",
        frozenset({"S1"}),
        300,
        with_changes((verifier.checks, "_fault", size_only)),
    ),
    "no_read_back": Mutant(
        "the copy is not read", frozenset({"S1"}), 300, with_changes((verifier.checks.Check, "file", unread))
    ),
    "mismatch_passes": Mutant(
        "evidence is written and not looked at", frozenset({"S1", "S4", "S14"}), 300, mismatch_passes
    ),
    "evidence_unwritten": Mutant("nobody counts what was proven", frozenset({"S1", "S4"}), 20, evidence_unwritten),
    "unconditional_put": Mutant(
        "an object is overwritten", frozenset({"S5"}), 300, with_changes((MemoryBucket, "add", overwritten))
    ),
    "messages_are_counted": Mutant(
        "answered hints are counted, not verified rows", frozenset({"A1", "S4"}), 100, counted_messages
    ),
    "terminal_is_reenterable": Mutant("an ingest that has ended goes on", frozenset({"S6", "S8"}), 600, reenterable),
    "unpinned_source_and_no_digests": Mutant(
        "whatever lies at the source is copied", frozenset({"S1", "S3"}), 600, unpinned
    ),
    "same_bag_unchecked": Mutant("another valid bag passes", frozenset({"S3"}), 600, same_bag_unchecked),
    "extra_objects_ignored": Mutant(
        "what nobody listed stays unnoticed",
        frozenset({"S2"}),
        600,
        lambda stack, ledger: replaced(stack, replica_aggregator.tally.Tally, "whole", property(extra_ignored)),
    ),
    "asks_again_at_every_look": Mutant("a thaw is asked for again and again", frozenset({"E2"}), 100, asks_again),
    "copies_again_after_a_crash": Mutant(
        "nobody looks what is there already", frozenset({"E1"}), 200, first_try_always
    ),
    "buried_and_not_failed": Mutant(
        "the last attempt leaves the row as it is", frozenset({"L1", "A2"}), 300, dead_letter_only
    ),
    "frozen_is_fatal": Mutant("a copy that expired fails the ingest", frozenset({"A1"}), 600, frozen_is_fatal),
    "one_read": Mutant(
        "one flipped bit condemns a copy", frozenset({"A1"}), 300, with_changes((verifier.checks, "READS", 1))
    ),
    "no_renewals": Mutant(
        "leases end while work goes on", frozenset({"A1"}), 600, with_changes((leases.Leases, "renew_all", nothing))
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
    with broken(name, ledger):
        for seed in range(MUTANTS[name].budget):
            found = {violation.invariant for violation in run_seed(ledger, seed).violations}
            if found & MUTANTS[name].expected:
                return Caught(name, seed, ", ".join(sorted(found)), time.monotonic() - began)
    return Caught(name, None, "", time.monotonic() - began)


def hunt(names: list[str], *, processes: int) -> int:
    """Chase every mutant; 1 where one survives."""
    survived = 0
    for caught in in_processes(chase, processes=processes, tasks=names):
        budget = MUTANTS[caught.name].budget
        if caught.seed is None:
            survived += 1
            print(f"{caught.name:36} SURVIVED {budget} seeds ({caught.seconds:.0f} s)", flush=True)
        else:
            print(
                f"{caught.name:36} found at seed {caught.seed} of {budget} by {caught.by} ({caught.seconds:.1f} s)",
                flush=True,
            )
    print(f"{len(names) - survived} of {len(names)} mutants were found")
    return 1 if survived else 0
