"""`python -m local_stack.cold_s3 --port 5900 --ratio 3600`: serves until SIGTERM."""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local_stack.cold_s3 import events, patches
from local_stack.cold_s3.clock import SimulatedClock
from local_stack.cold_s3.control import Control
from local_stack.cold_s3.freezer import Freezer
from local_stack.cold_s3.serving import server_of


def main() -> None:
    arguments = _arguments()
    _allow_many_files()
    clock = SimulatedClock(ratio=0 if arguments.frozen_clock else arguments.ratio)
    freezer = Freezer(clock, events.sender(clock))
    patches.apply(freezer)
    threading.Thread(target=freezer.watch, name="freezer", daemon=True).start()
    app = Control(freezer, DomainDispatcherApplication(create_backend_app))
    server = server_of(app, port=arguments.port, now=clock.now)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"S3 with cold storage at http://127.0.0.1:{arguments.port}", flush=True)
    server.serve_forever()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local_stack.cold_s3", description="S3 with cold storage, in memory."
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ratio", type=float, default=3600, help="simulated seconds per second (default: %(default)s)")
    parser.add_argument("--frozen-clock", action="store_true", help="let time pass by POST /_cold/clock only")
    return parser.parse_args()


def _allow_many_files() -> None:
    """moto keeps a temporary file open for every object above 5 MB."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
