"""How stores refuse."""

from __future__ import annotations

from dataclasses import field

from common.records import record


@record
class Answer:
    """How a store refused, in its own terms."""

    status: int | None
    """HTTP status; None where no answer arrived."""
    code: str | None = None
    retry_after: float | None = None
    """Seconds."""
    cut: bool = False
    """The connection ended inside a body."""
    why: str = field(default="", compare=False)
    """Why there is no answer, where that is known."""

    def __str__(self) -> str:
        if self.status is None:
            told = "the connection ended inside the answer" if self.cut else "no answer"
            return f"{told} ({self.why})" if self.why else told
        return f"HTTP {self.status}" + (f" {self.code}" if self.code and self.code != str(self.status) else "")
