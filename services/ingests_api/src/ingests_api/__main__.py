"""python -m ingests_api [check]"""

from common.runtime.commands import run_or_check
from ingests_api.wiring import check, run


def main() -> None:
    """Run until SIGTERM; or, told "check", probe every right and setting and end."""
    run_or_check(run=run, check=check)


if __name__ == "__main__":
    main()
