"""Patterns: the regular expressions of descriptors, held to those that no cell can make slow.

Python tries one way to read a text after the other, and some expressions have more ways than there is
time: (a+)+ needs a year for forty letters. An expression that reads every text in one way at most has
never more of them under way than it has signs, so that the time grows with the length of the cell
alone. Whether it is one is found as by R. Book, S. Even, S. Greibach and G. Ott, "Ambiguity in graphs
and expressions", IEEE Transactions on Computers C-20 (1971): no two ways may part and meet again.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

_MOST = 400  # signs, after a{3} is written out as aaa
_STEPS = 500_000  # of the search for two ways; ours take a few hundred
_TOKEN = re.compile(
    r"(?P<one>\\[dDwWsS]|\\[^\w\s]|\[\^?\]?(?:\\[dDwWsS]|\\[^\w\s]|[^\[\]\\])+\]|[^\\\[\](){}|*+?^$])"
    r"|(?P<open>\((?:\?:|(?!\?)))|(?P<close>\))|(?P<bar>\|)"
    r"|(?P<repeat>[*+?]|\{(?P<low>[0-9]{1,3})(?P<to>,(?P<high>[0-9]{0,3}))?\})"
)
# Of the kinds that the classes \d, \w and \s tell apart, one each, ASCII and not.
_KINDS = "0aA_ \n-ế٣\u00a0€"


class _RefusedError(Exception):
    """Why a pattern is not taken."""


@dataclass(frozen=True)
class _Part:
    """A part of an expression: whether it may be empty, the signs that it begins and ends with (their
    places in the expression), how one follows another, and which places it has."""

    empty: bool = True
    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()


class _Reader:
    """Reads an expression, noting which sign may follow which."""

    def __init__(self, pattern: str) -> None:
        self.tokens = list(_tokens(pattern))
        self.at = 0
        self.signs: list[str] = []
        self.follow: list[list[int]] = []

    def either(self) -> _Part:
        branches = [self.sequence()]
        while self._is("bar"):
            self.at += 1
            branches.append(self.sequence())
        if sum(branch.empty for branch in branches) > 1:
            raise _RefusedError("two branches that may be empty")
        return _Part(
            any(branch.empty for branch in branches),
            tuple(place for branch in branches for place in branch.first),
            tuple(place for branch in branches for place in branch.last),
        )

    def sequence(self) -> _Part:
        whole = _Part()
        while self.at < len(self.tokens) and not (self._is("bar") or self._is("close")):
            whole = self._joined(whole, self._repeated())
        return whole

    def _repeated(self) -> _Part:
        begin = self.at
        part = self._single()
        if not self._is("repeat"):
            return part
        token = self.tokens[self.at]
        end = self.at + 1
        low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(token[0], (-1, -1))
        if low == -1:
            low = int(token["low"])
            high = low if not token["to"] else int(token["high"]) if token["high"] else None
        if high is not None and (high < low or not high):
            raise _RefusedError(f"{token[0]}, which repeats nothing")
        if part.empty:
            raise _RefusedError(f"{token[0]} after what may be empty")
        copies = [part]
        while len(copies) < max(low, 1 if high is None else high):
            self.at = begin
            copies.append(self._single())
        if high is None:
            self._follows(copies[-1], copies[-1])
        # From the end: what is beyond the least count may be left out together with all after it.
        whole = _Part()
        for number, copy in reversed(list(enumerate(copies))):
            whole = self._joined(copy, whole)
            if number >= low:
                whole = _Part(True, whole.first, whole.last)
        self.at = end
        if self._is("repeat"):
            raise _RefusedError(f"{self.tokens[end][0]} after {token[0]}")
        return whole

    def _single(self) -> _Part:
        token = self.tokens[self.at]
        self.at += 1
        if token["one"]:
            if len(self.signs) == _MOST:
                raise _RefusedError(f"more than {_MOST} signs, repeats written out")
            self.signs.append(token["one"])
            self.follow.append([])
            return _Part(False, (len(self.signs) - 1,), (len(self.signs) - 1,))
        if not token["open"]:
            raise _RefusedError(f"{token[0]} that stands after nothing")
        part = self.either()
        if not self._is("close"):
            raise _RefusedError("a bracket that is not closed")
        self.at += 1
        return part

    def _is(self, kind: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at][kind] is not None

    def _joined(self, left: _Part, right: _Part) -> _Part:
        self._follows(left, right)
        return _Part(
            left.empty and right.empty,
            left.first + right.first * left.empty,
            right.last + left.last * right.empty,
        )

    def _follows(self, left: _Part, right: _Part) -> None:
        for place in left.last:
            self.follow[place] += right.first


def _tokens(pattern: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            raise _RefusedError(f"{pattern[at : at + 3]} (place {at + 1}), which is not known here")
        yield token
        at = token.end()


def refusal(pattern: str) -> str:
    r"""Why a pattern is not taken, "" where it is.

    Known are signs, escaped signs, [classes], \d \w \s \D \W \S, (groups), |, ?, *, +, {2}, {1,3}, {2,}, and
    ^ and $ around the whole; a cell must match as a whole, with them or without.

    >>> [refusal(pattern) for pattern in ("^[A-Z]{2}(-[A-Za-z0-9]+)*$", "[a-z]+|activities:[a-z]+")]
    ['', '']
    >>> refusal("(a+)+"), refusal("^a|b$"), refusal("a(?=b)")
    ('two ways to read one text', '^ and $ around one branch of several only', '(?= (place 2), which is not known here')
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of what other readers may take for something else
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        return f"no regular expression: {error}"
    begins, ends = pattern.startswith("^"), bool(re.search(r"(?<!\\)(\\\\)*\$$", pattern))
    if begins != ends:
        return "^ without $, or $ without ^"
    try:
        reader = _Reader(pattern[1:-1] if begins else pattern)
        whole = reader.sequence() if begins else reader.either()
        if reader.at < len(reader.tokens):
            bar = reader.tokens[reader.at]["bar"]
            return "^ and $ around one branch of several only" if bar else ") without ("
        return "two ways to read one text" if _is_ambiguous(reader, whole) else ""
    except _RefusedError as reason:
        return str(reason)
    except RecursionError:
        return "too many brackets in one another"


def _is_ambiguous(reader: _Reader, whole: _Part) -> bool:
    """Whether two different ways through the expression read the same text and come to the same sign."""
    samples = {
        *_KINDS,
        *(chr(code) for sign in reader.signs for char in sign for code in _near(char)),
    }
    text = "".join(sorted(samples))
    reads = {sign: frozenset(re.findall(sign, text, re.DOTALL)) for sign in set(reader.signs)}
    follow = [*reader.follow, list(whole.first)]
    # A pair is where two ways are after the same text; the last stands for the beginning.
    pairs, parted = [(place, place) for place in range(len(follow))], set()
    steps = 0
    while pairs:
        one, other = pairs.pop()
        steps += len(follow[one]) * len(follow[other])
        if steps > _STEPS:
            raise _RefusedError("more branches than can be looked through")
        for at, left in enumerate(follow[one]):
            for to, right in enumerate(follow[other]):
                if one == other and at >= to:
                    continue  # the same step, or the same two the other way round
                if reads[reader.signs[left]].isdisjoint(reads[reader.signs[right]]):
                    continue
                if left == right:
                    return True
                pair = (min(left, right), max(left, right))
                if pair not in parted:
                    parted.add(pair)
                    pairs.append(pair)
    return False


def _near(char: str) -> Iterator[int]:
    """The sign and its neighbours: between the ends of ranges, all signs of a kind are alike."""
    for code in (ord(char) - 1, ord(char), ord(char) + 1):
        if 0 <= code < 0x110000:
            yield code
