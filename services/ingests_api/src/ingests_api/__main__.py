"""python -m ingests_api"""

from common.runtime.process import exit_on_bad_settings
from ingests_api.wiring import run


def main() -> None:
    """Run until SIGTERM."""
    exit_on_bad_settings(run)


if __name__ == "__main__":
    main()
