"""python -m bag_register"""

from bag_register.wiring import run
from common.runtime.process import exit_on_bad_settings


def main() -> None:
    """Run until SIGTERM."""
    exit_on_bad_settings(run)


if __name__ == "__main__":
    main()
