"""From a failing seed to the fewest faults that still make it fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulation.decisions import Fault

Fails = Callable[[Mapping[int, Fault]], bool]


def shrink(faults: Mapping[int, Fault], fails: Fails, *, tries: int = 200) -> dict[int, Fault]:
    """Leave out kinds, then halves, then single faults, as long as what is left still fails.

    `fails` runs a script. What is left need not be the smallest of all scripts; none of its faults can be left out
    alone, unless the tries were used up.
    """
    left = dict(faults)
    for kind in sorted({fault.kind for fault in faults.values()}):
        fewer = {number: fault for number, fault in left.items() if fault.kind != kind}
        if len(fewer) < len(left) and tries > 0:
            tries -= 1
            left = fewer if fails(fewer) else left
    size = max(1, len(left) // 2)
    while size and tries > 0:
        numbers = sorted(left)
        smaller = False
        for start in range(0, len(numbers), size):
            if tries <= 0:
                break
            tries -= 1
            dropped = set(numbers[start : start + size])
            fewer = {number: fault for number, fault in left.items() if number not in dropped}
            if len(fewer) < len(left) and fails(fewer):
                left, smaller = fewer, True
        if not smaller or size > 1:
            size = size // 2 if size > 1 else 0
    return left
