"""python -m bag_warmer [check | subscribe <location> | unsubscribe <location>]"""

from functools import partial

from bag_warmer.subscribing import COMMANDS
from bag_warmer.wiring import change_subscription, check, run
from common.runtime.commands import run_or_check


def main() -> None:
    """Run until SIGTERM; or, told "check", probe every right and setting and end."""
    run_or_check(run=run, check=check, more={name: partial(change_subscription, name) for name in COMMANDS})


if __name__ == "__main__":
    main()
