"""python -m backfill_replicator"""

from backfill_replicator.wiring import run
from common.runtime.process import exit_on_bad_settings


def main() -> None:
    """Run until SIGTERM."""
    exit_on_bad_settings(run)


if __name__ == "__main__":
    main()
