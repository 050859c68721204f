"""backfill-local demo | up: the one-command local stack."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from local_stack.demo.bags import recipes
from local_stack.demo.play import Play, seed_all
from local_stack.demo.screen import Screen
from local_stack.servers.errors import ServerDidNotStart, ServerNotInstalled
from local_stack.settings import DESTINATION, SOURCE
from local_stack.stack import BUCKET, Stack, StackOptions

REPOSITORY = Path(__file__).resolve().parents[3]
HOME = REPOSITORY / ".backfill"

FIRST_STEPS = (
    f"bags import {SOURCE} --wait",
    f"bags missing --at {DESTINATION}",
    f"ingest create digitised b10000001 --to {DESTINATION} --wait",
    "bags show digitised b10000001",
)
"""Words after `backfill`; three hours of thawing take three seconds."""
DEMO_RATIO = 10800
"""Three simulated hours pass in a second: a bulk restore from Deep Archive takes 16 s."""


def main() -> None:
    """The command line; exits with the demo's verdict."""
    parser = argparse.ArgumentParser(prog="backfill-local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="make bags, freeze them, backfill them, check them")
    demo.add_argument("--keep", action="store_true", help="keep data and logs")
    demo.add_argument("--small", action="store_true", help="a 20 MB film and 100 small files")
    up = commands.add_parser("up", help="leave the stack running until Ctrl-C")
    up.add_argument("--empty", action="store_true", help="put no bags into the S3 store")
    up.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")), help="the API's (default 8000)")
    options = parser.parse_args()
    try:
        sys.exit(
            run_demo(keep=options.keep, small=options.small)
            if options.command == "demo"
            else run_up(options.port, empty=options.empty)
        )
    except (ServerDidNotStart, ServerNotInstalled) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def run_demo(*, keep: bool, small: bool) -> int:
    """0 if the independent check agrees, 1 otherwise."""
    screen = Screen()
    began = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="backfill-demo-"))
    directory.chmod(0o711)
    stack = Stack(
        StackOptions(directory, REPOSITORY, ratio=DEMO_RATIO, durable=False, settings={"BACKFILL_THAW_DAYS": "14"}),
        say=lambda what: screen.say(f"  starting {what}"),
    )
    screen.heading("Starting the stack")
    good = False
    try:
        with stack:
            play = Play(stack, screen)
            if small:
                play.film_bytes, play.small_files = 20_000_000, 100
            good = play.run()
    finally:
        screen.say(f"\n{time.monotonic() - began:.0f} s" + ("" if good and not keep else f"; logs: {stack.logs}"))
        if good and not keep:
            shutil.rmtree(directory, ignore_errors=True)
    return 0 if good else 1


def run_up(port: int, *, empty: bool) -> int:
    """Run until SIGINT or SIGTERM. Data stay in .backfill, but for the S3 server's, which are in memory."""
    screen = Screen()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    screen.heading("Starting the stack")
    HOME.mkdir(mode=0o711, exist_ok=True)
    stack = Stack(StackOptions(HOME, REPOSITORY, port=port), say=lambda what: screen.say(f"  starting {what}"))
    with stack:
        if not empty:
            seed_all(recipes(bucket=BUCKET, film_bytes=20_000_000, small_files=100), stack=stack, screen=screen)
        screen.heading("Running; Ctrl-C stops it")
        screen.table(
            ("", ""),
            [
                ("API", stack.api),
                ("client id and secret", f"{stack.credentials}  (BACKFILL_CREDENTIALS for the command line)"),
                ("S3 with cold storage", f"{stack.s3.endpoint}  bucket archive; in memory, gone when this stops"),
                ("Azurite", f"{stack.azurite.endpoint}  container replica; kept in {HOME}"),
                ("PostgreSQL", f"database backfill; kept in {HOME}"),
                ("logs", str(stack.logs)),
            ],
        )
        screen.heading("Try it, in another terminal")
        screen.say(f"export BACKFILL_API={stack.api} BACKFILL_CREDENTIALS={stack.credentials}")
        for words in FIRST_STEPS:
            screen.say(f"{Path(sys.executable).with_name('backfill')} {words}")
        stop.wait()
        screen.say("stopping")
    return 0


if __name__ == "__main__":
    main()
