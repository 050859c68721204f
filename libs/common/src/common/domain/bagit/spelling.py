"""Finds the object that an entry means where no object has the entry's path: names are compared byte by byte first,
and only what is then still missing by another reading of its percent signs, then by normalisation form.
"""

from __future__ import annotations

import sqlite3

from common.domain.bagit.twins import fold, same_form

_BATCH = 1000
_MOVE = "UPDATE listed SET path = ?, said = path, how = ? WHERE path = ? AND manifest = ? AND line = ?"


def settle_spellings(database: sqlite3.Connection) -> None:
    """Give every entry of `unmatched` the path of the one object it can mean, where there is exactly one."""
    count = database.execute("SELECT count(*) FROM unmatched").fetchone()[0]
    if not count:
        return
    database.execute("CREATE INDEX objects_by_fold ON objects (fold)")
    unmatched = database.execute("SELECT path, manifest, line, other FROM unmatched")
    while batch := unmatched.fetchmany(_BATCH):
        moves = []
        for path, manifest, line, other in batch:
            if meant := _meant(database, path, other):
                moves.append((*meant, path, manifest, line))
        database.executemany(_MOVE, moves)


def _meant(database: sqlite3.Connection, path: str, other: str | None) -> tuple[str, str] | None:
    """The object's path and the code of the warning; None where no object, or more than one, can be meant."""
    if other and database.execute("SELECT 1 FROM objects WHERE path = ?", (other,)).fetchone():
        return other, "bag_percent_legacy"
    if path.isascii():
        return None
    alike = database.execute("SELECT path FROM objects WHERE fold = ?", (fold(path),))
    same = [found for (found,) in alike if same_form(found, path)]
    return (same[0], "bag_normalisation_differs") if len(same) == 1 else None
