"""What `python -m <service>` can be told to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from common.runtime.process import exit_on_bad_settings

Check = Callable[[Sequence[str]], int]
"""Takes the words behind "check"; the process's exit status."""


def run_or_check(
    *,
    run: Callable[[], None],
    check: Check,
    words: Sequence[str] | None = None,
    more: Mapping[str, Check] | None = None,
) -> None:
    """Run the service, or, told "check", look whether it could and end with that status.

    `more` are commands of this service alone, by their word.
    Exits with status 2 for other words and for settings that are missing or wrong.
    """
    told = list(sys.argv[1:] if words is None else words)
    if not told:
        exit_on_bad_settings(run)
    elif command := {"check": check, **(more or {})}.get(told[0]):
        exit_on_bad_settings(lambda: sys.exit(command(told[1:])))
    else:
        sys.stderr.write(f"{told[0]!r} is no command: say nothing, to run, or `check`, to probe rights and settings\n")
        sys.exit(2)
