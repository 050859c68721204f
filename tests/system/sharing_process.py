"""A process that writes to a limited location: python sharing_process.py DSN DIRECTORY NAME

It says "ready" when its share was asked for once, begins at a line on its standard input, and says how many seconds
its writes took.
"""

from __future__ import annotations

import sys
import time

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_store
from common.domain.location import Provider
from common.ledger import shares
from common.ledger.engine import open_engine, transaction
from common.sharing import Share, Users

OBJECTS, SIZE = 40, 25_000


def main() -> None:
    dsn, directory, name = sys.argv[1:]
    engine = open_engine(dsn, name=name, pool_size=1)

    def tell(moving: bool) -> Users:
        with transaction(engine) as connection:
            return shares.renew(connection, location_id="azure", holder=name, moving=moving)

    config = LocationConfig(id="azure", provider=Provider.LOCAL, bucket=directory, bandwidth="1 MB/s")
    store = open_store(config, share=Share(tell, period=0.05))
    store.create(key=f"{name}/first", data=b"x")
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    for number in range(OBJECTS):
        store.create(key=f"{name}/{number}", data=bytes(SIZE))
    print(time.monotonic() - began, flush=True)


if __name__ == "__main__":
    main()
