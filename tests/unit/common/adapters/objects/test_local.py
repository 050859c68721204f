"""What only a directory has: symbolic links, directories in the way, and files others put there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from common.adapters.objects.azure.ordering import in_byte_order
from common.adapters.objects.local import LocalStore
from common.errors import NameNotAllowed, NotFound
from common.ports import ObjectInfo


def test_a_symbolic_link_is_no_object_and_no_way_out(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (root / "link").symlink_to(outside / "secret")
    (root / "folder").symlink_to(outside)
    store = LocalStore(root=root)

    for key in ("link", "folder/secret"):
        with pytest.raises(NotFound):
            store.head(key=key)
    with pytest.raises((NotFound, NameNotAllowed)):
        store.create(key="folder/new", data=b"x")

    assert list(store.list(prefix="")) == []
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


@pytest.mark.parametrize(("first", "second"), [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a/b")])
def test_a_key_can_not_be_file_and_directory(tmp_path: Path, first: str, second: str) -> None:
    store = LocalStore(root=tmp_path)
    store.create(key=first, data=b"x")

    with pytest.raises(NameNotAllowed, match="director"):
        store.create(key=second, data=b"y")

    assert [info.key for info in store.list(prefix="")] == [first]


def test_a_pipe_is_no_object_and_hangs_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    store = LocalStore(root=tmp_path)

    with pytest.raises(NotFound), store.read(key="pipe"):
        pass
    assert list(store.list(prefix="")) == []


def test_nothing_is_left_behind_by_a_create(tmp_path: Path) -> None:
    store = LocalStore(root=tmp_path)
    store.create(key="a", data=b"x")
    with pytest.raises(NameNotAllowed):
        store.create(key="a/b", data=b"x", metadata={"a": "b"})

    assert list((tmp_path / ".backfill" / "staging").iterdir()) == []


def test_names_in_utf16_order_are_put_into_byte_order() -> None:
    names = ["a", "é", "\U0001f600", "\U0001f600b", "\uff5e", "b", "z\U0001f600", "z\uff5e"]
    infos = [ObjectInfo(key=name, size=0, etag="") for name in names]

    found = [info.key for info in in_byte_order(infos, start_after="a")]

    assert found == ["é", "\uff5e", "\U0001f600", "\U0001f600b", "b", "z\uff5e", "z\U0001f600"]
