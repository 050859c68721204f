"""Many runs that begin alike: the process forks where they part, so that what they share happens once.

The ledger is on one connection, which parent and child use in turn: the parent waits for the child to end, and then
takes the ledger back to where they parted.
"""

from __future__ import annotations

import gc
import os
import pickle
from dataclasses import dataclass
from typing import Any, NoReturn

from simulation.ledger import Ledger


@dataclass(slots=True)
class Branches:
    """The branches of one run. Used within `Ledger.undone`, between transactions."""

    ledger: Ledger
    _depth: int = 0
    _answers_to: int = -1

    def part(self) -> Any:
        """In the child, None; it goes on from here and ends with `answer`. In the parent, what the child answered."""
        mark = self.ledger.mark(f"parted_{self._depth}")
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            # It lives for moments: to collect its garbage would copy the memory that it shares.
            gc.disable()
            os.close(ours)
            self.ledger.prepare_no_more()
            self._depth += 1
            self._answers_to = theirs
            return None
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            answer = pipe.read()
        _, status = os.waitpid(child, 0)
        if status or not answer:
            raise RuntimeError(f"a branch of the run ended with status {status} and said nothing")
        self.ledger.back_to(mark)
        return pickle.loads(answer)

    def answer(self, told: Any) -> NoReturn:
        """The end of a child."""
        with os.fdopen(self._answers_to, "wb") as pipe:
            pickle.dump(told, pipe)
        os._exit(0)
