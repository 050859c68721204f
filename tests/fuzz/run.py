"""Fuzzes every target in turn, some at once: python -m fuzz.run --seconds 600 [--target NAME …] [--keep]

New inputs gather in .backfill/fuzz/TARGET and are the beginning of the next run. --keep adds those that reach what the
kept corpus does not to tests/fuzz/corpus, the shortest first. Ends with 1 where any input broke a promise.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fuzz.catalogue import CORPUS, TARGETS
from fuzz.installing import install_atheris

WORK = Path(".backfill/fuzz")
KEPT = 12 * 1024
"""Bytes of a target's corpus in the repository."""
_LIMITS = ("-max_len=4096", "-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=1")
_EXECUTIONS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_ERROR = re.compile(r"=== Uncaught Python exception: ===\n(.*?)(?:\n==\d+==|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Ran:
    """What became of one target."""

    name: str
    executions: int
    new: int
    """Inputs that reached something new."""
    crashes: list[Path]
    told: str
    """The exception, where one was raised; else the end of what was printed."""
    failed: bool


def fuzz(name: str, *, seconds: int, seed: int) -> Ran:
    """Fuzz one target in a process of its own."""
    corpus, found = WORK / name, WORK / f"{name}.crashes"
    for directory in (corpus, found):
        directory.mkdir(parents=True, exist_ok=True)
    before, old = len(list(corpus.iterdir())), set(found.iterdir())
    limits = (*_LIMITS, f"-max_total_time={seconds}", f"-seed={seed}", f"-artifact_prefix={found}/")
    done = _one(name, *limits, str(corpus), str(CORPUS / name))
    executions = _EXECUTIONS.search(done.stdout)
    error = _ERROR.search(done.stdout)
    return Ran(
        name=name,
        executions=int(executions[1]) if executions else 0,
        new=len(list(corpus.iterdir())) - before,
        crashes=sorted(set(found.iterdir()) - old),
        told=error[1].strip() if error else done.stdout[-2000:],
        failed=done.returncode != 0,
    )


def keep(name: str) -> tuple[int, int]:
    """Add what the work found to the kept corpus; the number of its inputs and their bytes."""
    merged = WORK / f"{name}.merged"
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir(parents=True)
    done = _one(name, "-merge=1", *_LIMITS, str(merged), str(CORPUS / name), str(WORK / name))
    inputs = sorted(merged.iterdir(), key=lambda path: (path.stat().st_size, path.name))
    if not inputs:
        raise SystemExit(f"{name}: the corpora could not be merged:\n{done.stdout[-2000:]}")
    shutil.rmtree(CORPUS / name)
    (CORPUS / name).mkdir()
    size = kept = 0
    for path in inputs:
        size += path.stat().st_size
        if size > KEPT:
            break
        shutil.copy(path, CORPUS / name / path.name[:16])
        kept += 1
    shutil.rmtree(merged)
    return kept, min(size, KEPT)


def _one(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fuzz.one", name, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def show(ran: Ran) -> None:
    """One line where all is well; what broke, and the command that replays it, where not."""
    print(f"{ran.name:<16} {ran.executions:>10,} executions {ran.new:>6,} new inputs ", end="")
    if not ran.failed:
        print("  no crash", flush=True)
        return
    print(f"  {len(ran.crashes) or 'NO INPUT KEPT,'} CRASHED\n{ran.told}")
    for path in ran.crashes:
        print(f"The input: {path}\nReplay it: make fuzz TARGET={ran.name} INPUT={path}", flush=True)


def replay(name: str, path: Path) -> None:
    """Once, without atheris; raises what the target raises."""
    TARGETS[name](path.read_bytes())
    print(f"{name}: {path} breaks no promise")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="this one; may be repeated")
    parser.add_argument("--seed", type=int, default=0, help="of the random choices; 0: another one every time")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="add what is new to the kept corpus")
    parser.add_argument("--input", type=Path, help="replay this one input of the target")
    chosen = parser.parse_args(arguments)
    names = chosen.target or list(TARGETS)
    if chosen.input:
        replay(names[0], chosen.input)
        return 0
    install_atheris()
    print(f"Fuzzing {len(names)} targets for {chosen.seconds} s each, {chosen.at_once} at once", flush=True)
    failed = 0
    with ThreadPoolExecutor(chosen.at_once) as pool:
        for ran in pool.map(lambda name: fuzz(name, seconds=chosen.seconds, seed=chosen.seed), names):
            show(ran)
            failed += ran.failed
        if chosen.keep:
            for name, (inputs, size) in zip(names, pool.map(keep, names), strict=True):
                print(f"{name:<16} kept {inputs} inputs, {size:,} bytes")
    print(f"{failed} of {len(names)} targets broke a promise" if failed else "No promise was broken")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
