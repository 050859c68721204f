"""python -m chaos --seconds 60 --broker pgmq --seed 1: exits with 1 where a promise was broken."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom

from chaos.run import Wanted, run
from local_stack.servers import rabbitmq
from local_stack.servers.errors import ServerDidNotStart, ServerNotInstalled

REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> int:
    """The exit status: 0 if every promise held (or the broker is not installed), 1 otherwise."""
    options = _arguments()
    if options.broker == "rabbitmq" and (why := rabbitmq.missing()):
        print(f"chaos over rabbitmq is SKIPPED: {why}", flush=True)
        return 0
    began = time.monotonic()
    directory = _directory(options.artefacts)
    wanted = Wanted(options.seconds, options.broker, options.seed, directory, REPOSITORY)
    print(f"chaos: {options.broker}, seed {options.seed}", flush=True)
    try:
        report = run(wanted, say=lambda line: print(f"{line} ({time.monotonic() - began:.0f} s)", flush=True))
    except (ServerDidNotStart, ServerNotInstalled, TimeoutError) as error:
        print(f"{error}\nlogs: {directory}", flush=True)
        return 1
    print("\n".join(report.lines()), flush=True)
    if report.good and options.artefacts is None:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        print(f"logs, blows and report: {directory}", flush=True)
    print(f"{time.monotonic() - began:.0f} s in all", flush=True)
    return 0 if report.good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="of chaos; start and calm come on top (default 30)")
    parser.add_argument("--broker", choices=["pgmq", "rabbitmq"], default="pgmq")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6), help="repeats a run's plan")
    parser.add_argument("--artefacts", type=Path, help="keep logs, blows and report here, whatever comes of it")
    return parser.parse_args()


def _directory(given: Path | None) -> Path:
    if given is None:
        directory = Path(tempfile.mkdtemp(prefix="backfill-chaos-"))
    else:
        directory = given.absolute()
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise SystemExit(f"--artefacts {directory} holds something: give an empty directory or a new one")
    directory.chmod(0o711)
    return directory


if __name__ == "__main__":
    sys.exit(main())
