"""How a large object is cut into parts: a pure plan."""

from __future__ import annotations

from common.ports import Limits
from common.records import record

MIB = 1 << 20
USUAL_PART = 8 * MIB


@record
class PartPlan:
    """Every part has `part_size` bytes but the last, which has the rest."""

    size: int
    part_size: int

    @property
    def count(self) -> int:
        return -(-self.size // self.part_size)

    def length(self, number: int) -> int:
        """Bytes of part `number`, counted from 1."""
        return min(self.part_size, self.size - (number - 1) * self.part_size)


def fault(size: int, limits: Limits) -> str | None:
    """Why the provider could not hold an object of this size, as a sentence; None if it can."""
    most = min(limits.max_object, limits.max_part * limits.max_parts)
    return f"{size} bytes are more than the {most} the provider can hold" if size > most else None


def plan(size: int, limits: Limits, *, usual: int = USUAL_PART) -> PartPlan:
    """Parts of `usual` bytes, or of as many MiB more as the provider's number of parts needs.

    Raises ValueError where no part size works; :func:`fault` says so beforehand.
    """
    needed = -(-size // limits.max_parts)
    if needed > limits.max_part:
        raise ValueError(f"{size} bytes would need parts of {needed}, at most {limits.max_part} are allowed")
    part_size = max(usual, limits.min_part, -(-needed // MIB) * MIB)
    return PartPlan(size, min(part_size, limits.max_part))
