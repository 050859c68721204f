"""A worker that takes a message and is killed while it holds it: `python holder.py URL PREFIX VISIBILITY_TIMEOUT`."""

from __future__ import annotations

import sys
import time

from common.adapters.queues.registry import open_courier


def main() -> None:
    url, prefix, visibility_timeout = sys.argv[1:]
    courier = open_courier(url, prefix=prefix, visibility_timeout=int(visibility_timeout))
    delivery = courier.receive(["work"], wait=20)
    print(delivery.message_id if delivery else "nothing", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main()
