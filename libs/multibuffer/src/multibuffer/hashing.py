"""What hashlib.sha256 is, for streams of large buffers: threads that hash at the same time share a core."""

from __future__ import annotations

import hashlib
import struct
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import ctypes

LARGE = 512 << 10
"""Bytes: below that, handing a buffer over costs more than it brings."""
_BLOCK = 64
_BEGIN = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)


class Sha256(Protocol):
    """What is used of hashlib's objects."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...


def sha256() -> Sha256:
    """A new hasher; hashlib's own where `why_not` has a reason. One thread at a time may update it."""
    core = _core()
    return hashlib.sha256() if isinstance(core, str) else _Paired(core)


def why_not() -> str:
    """Why streams are hashed one by one, by hashlib; empty where they are not."""
    core = _core()
    return core if isinstance(core, str) else ""


def counts() -> tuple[int, int]:
    """Blocks of 64 bytes that this process hashed in pairs, and alone; none of what hashlib hashed."""
    core = _core()
    if isinstance(core, str):
        return 0, 0
    paired, single = core.number(0), core.number(0)
    core.library.multibuffer_counts(core.by_reference(paired), core.by_reference(single))
    return paired.value, single.value


class _Core(NamedTuple):
    """The compiled part, and of ctypes what calling it takes: that is imported with it, late."""

    library: ctypes.CDLL
    state: type[ctypes.Array[Any]]
    number: type[Any]
    byte: type[Any]
    address_of: Any
    by_reference: Any


class _Paired:
    """A stream that is hashed beside others."""

    __slots__ = ("_core", "_rest", "_size", "_state")

    def __init__(self, core: _Core) -> None:
        self._core = core
        self._state = core.state(*_BEGIN)
        self._rest = b""
        """The beginning of a block."""
        self._size = 0

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Returns when all of `data` is hashed, by this thread or by another. Python's lock is free meanwhile."""
        view = memoryview(data).cast("B")
        self._size += len(view)
        if self._rest:
            missing = _BLOCK - len(self._rest)
            self._rest += view[:missing]
            view = view[missing:]
            if len(self._rest) < _BLOCK:
                return
            self._compress(self._rest)
        whole = len(view) - len(view) % _BLOCK
        self._compress(view[:whole])
        self._rest = bytes(view[whole:])

    def digest(self) -> bytes:
        ended = self._core.state(*self._state)
        filling = bytes(-(len(self._rest) + 9) % _BLOCK)
        last = self._rest + b"\x80" + filling + struct.pack(">Q", self._size * 8)
        self._core.library.multibuffer_one(ended, last, len(last) // _BLOCK)
        return struct.pack(">8I", *ended)

    def hexdigest(self) -> str:
        return self.digest().hex()

    def _compress(self, data: bytes | memoryview) -> None:
        """Whole blocks, if any."""
        core, blocks = self._core, len(data) // _BLOCK
        if not blocks:
            return
        if isinstance(data, bytes) or data.readonly:
            core.library.multibuffer_update(self._state, bytes(data), blocks)
        else:
            # Of its first byte alone: ctypes keeps a type for each length of array for ever.
            first = core.byte.from_buffer(data)
            core.library.multibuffer_update(self._state, core.address_of(first), blocks)


@cache
def _core() -> _Core | str:
    """The compiled part, or why there is none to be used."""
    # Imported here: only who hashes large buffers needs it, and every start would pay.
    import ctypes
    from importlib.machinery import EXTENSION_SUFFIXES
    from pathlib import Path

    built = [path for end in EXTENSION_SUFFIXES if (path := Path(__file__).with_name(f"_sha256{end}")).exists()]
    if not built:
        return "it was installed without a C compiler"
    try:
        library = ctypes.CDLL(str(built[0]))
    except OSError as error:
        return f"{built[0].name} cannot be loaded: {error}"
    address, size = ctypes.c_void_p, ctypes.c_size_t
    library.multibuffer_update.argtypes = library.multibuffer_one.argtypes = [address, address, size]
    library.multibuffer_two.argtypes = [address, address, address, address, size]
    if not library.multibuffer_usable():
        return "this processor has no SHA instructions"
    core = _Core(library, ctypes.c_uint32 * 8, ctypes.c_uint64, ctypes.c_char, ctypes.addressof, ctypes.byref)
    return core if _right(core) else "it computed a wrong digest, which must not be: please report the processor"


def _right(core: _Core) -> bool:
    """Whether it finds what hashlib does, alone and in a pair."""
    one, other = bytes(range(256)) * 3, bytes(range(255, -1, -1)) * 3
    hashers = [_Paired(core), _Paired(core)]
    for hasher, data in zip(hashers, (one, other), strict=True):
        hasher.update(data[:70])
        hasher.update(data[70:])
    paired = [core.state(*_BEGIN), core.state(*_BEGIN)]
    core.library.multibuffer_two(paired[0], one, paired[1], other, len(one) // _BLOCK)
    for hasher, state, data in zip(hashers, paired, (one, other), strict=True):
        alone = _Paired(core)
        alone.update(data)
        if hasher.digest() != hashlib.sha256(data).digest() or list(state) != list(alone._state):
            return False
    return True
