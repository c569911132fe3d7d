"""Letters: the encodings that the bytes of a text can be."""

from __future__ import annotations

import codecs
from collections.abc import Iterator


def decodings(data: bytes) -> Iterator[tuple[str, str]]:
    """(name of the encoding, text) for every encoding that the bytes can be, likeliest first."""
    names = ["utf-8-sig", "cp1258"]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        names = ["utf-16"]
    for name in names:
        try:
            yield name, data.decode(name)
        except UnicodeDecodeError:
            continue
