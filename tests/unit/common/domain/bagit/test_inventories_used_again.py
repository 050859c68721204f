"""A database that held one bag may hold the next: nothing of the first is ever seen in it."""

from __future__ import annotations

import sqlite3

import pytest

from common.domain.bagit.inventory import Inventory
from common.domain.bagit.inventory_sql import Databases
from common.domain.bagit.joined import ListedObject


def test_a_database_comes_back_empty() -> None:
    databases = Databases(cache_bytes=1 << 20)
    first = databases.take()
    first.execute("INSERT INTO staged VALUES (1, 1, 'a', x'00', NULL)")
    first.execute("CREATE INDEX objects_by_fold ON objects (fold)")
    was = id(first)
    databases.give_back(first)
    del first
    again = databases.take()

    assert id(again) == was
    assert again.execute("SELECT count(*) FROM staged").fetchone() == (0,)
    again.execute("CREATE INDEX objects_by_fold ON objects (fold)")


def test_a_database_that_grew_is_closed() -> None:
    databases = Databases(cache_bytes=1 << 20)
    large = databases.take()
    large.execute("INSERT INTO fetches VALUES (?, 1, NULL, NULL)", ("x" * (1 << 20),))
    databases.give_back(large)

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        large.execute("SELECT 1")


def test_a_reader_that_has_not_ended_never_sees_the_next_bag() -> None:
    inventory = Inventory()
    inventory.add_objects([ListedObject(name, 1, "tag", None, None, None) for name in ("a", "b", "c")])
    files = inventory.files()
    assert next(files).key == "a"
    inventory.close()
    with Inventory() as following:
        following.add_objects([ListedObject(name, 1, "tag", None, None, None) for name in ("x", "y", "z")])
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            list(files)


def test_a_closed_inventory_answers_nothing() -> None:
    inventory = Inventory()
    inventory.close()
    inventory.close()

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        inventory.totals()
