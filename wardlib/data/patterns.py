r"""Patterns: the regular expressions of descriptors, read by RE2. Its only user.

Python's own expressions try one way to read a text after the other, and some have more ways than there is
time: (a+)+ needs a year for forty letters. RE2 (https://github.com/google/re2) takes a time that grows with
the text alone. For that it knows neither references back nor looking around; \d and \w are those of ASCII,
and \pL is a letter of any script.
"""

from __future__ import annotations

import functools
from collections.abc import Callable


@functools.lru_cache(maxsize=256)  # a run checks the same tables again and again
def whole(pattern: str) -> Callable[[str], object]:
    """What tells whether a text is like the pattern from its first letter to its last."""
    match: Callable[[str], object] = _compiled(pattern).fullmatch
    return match


def refusal(pattern: str) -> str:
    """Why a pattern cannot be read, "" where it can.

    >>> refusal("^[A-Z]{2}(-[A-Za-z0-9]+)*$"), refusal("a(?=b)")
    ('', 'invalid perl operator: (?=')
    """
    import re2

    try:
        _compiled(pattern)
    except re2.error as error:
        (reason,) = error.args
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return ""


def _compiled(pattern: str):  # type: ignore[no-untyped-def]  # RE2 has no types
    import re2

    options = re2.Options()
    options.log_errors = False  # they are told where they stand
    return re2.compile(pattern, options)
