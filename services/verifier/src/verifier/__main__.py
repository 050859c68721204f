"""python -m verifier"""

from common.runtime.process import exit_on_bad_settings
from verifier.wiring import run


def main() -> None:
    """Run until SIGTERM."""
    exit_on_bad_settings(run)


if __name__ == "__main__":
    main()
