"""python -m backfill_replicator [check]"""

from backfill_replicator.wiring import check, run
from common.runtime.commands import run_or_check


def main() -> None:
    """Run until SIGTERM; or, told "check", probe every right and setting and end."""
    run_or_check(run=run, check=check)


if __name__ == "__main__":
    main()
