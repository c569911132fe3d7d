"""What estimates have made, remembered by all that it was made of, in memory and where there is one in a store.

Whoever estimates the same again, be it for another period, page or language, gets the same array, which
is not to be written to. What was used last stays, up to `MOST` bytes: a ward of a hundred lines has room.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

import numpy as np

from wardlib.analysis.tables import Floats

MOST = 256 * 2**20  # bytes


class Store(Protocol):
    """Keeps arrays of float64 by the digest of what they were made of, beyond the process. It raises
    nothing: what it cannot give back is None."""

    def get(self, digest: str) -> Floats | None: ...
    def put(self, digest: str, made: Floats) -> None: ...


_memory: dict[str, Floats] = {}  # the least recently used first
_store: Store | None = None


def attach(store: Store | None) -> None:
    """From now on look in `store` for what memory does not have, and put there what is made; None: no more."""
    global _store
    _store = store


def forget() -> None:
    """Forget all that memory has; a store keeps its own."""
    _memory.clear()


def recall(
    make: Callable[[], Floats], shape: tuple[int | None, ...], *of: object, stored: bool = True
) -> Floats:
    """What `make` gives: an array of float64 of that `shape` (None: of any length), made only where it is
    not remembered.

    `of`: all that it is made of, in values whose repr is exact (numbers, texts, bytes, tuples of them), the
    name of the maker first. `stored`: whether a store may be asked and given it.
    """
    digest = hashlib.sha256(repr(of).encode()).hexdigest()
    made = _memory.pop(digest, None)
    if made is None:
        store = _store if stored else None
        made = store.get(digest) if store else None
        if made is None or not _fits(made, shape):
            made = make()
            if store:
                store.put(digest, made)
        made.setflags(write=False)
        room = MOST - made.nbytes
        held = sum(other.nbytes for other in _memory.values())
        while _memory and held > room:
            held -= _memory.pop(next(iter(_memory))).nbytes
    _memory[digest] = made
    return made


def recall_text(make: Callable[[], str], *of: object) -> str:
    """As `recall`, what `make` gives being a text; there may be blanks at its end, as JSON allows."""

    def made() -> Floats:
        data = make().encode()
        whole: Floats = np.frombuffer(data + b" " * (-len(data) % 8), dtype=np.float64).copy()
        return whole

    return recall(made, (None,), *of).tobytes().decode()


def _fits(made: Floats, shape: tuple[int | None, ...]) -> bool:
    """Whether an array is one of float64 of that shape, without gaps."""
    lengths = zip(made.shape, shape, strict=False)
    return (
        made.dtype == np.float64
        and made.ndim == len(shape)
        and made.flags.forc
        and all(asked in (None, own) for own, asked in lengths)
    )
