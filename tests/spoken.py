"""What is asked of every message that data make, in Vietnamese; the tests that damage data hand theirs in."""

import re
import unicodedata

from wardlib.errors import Said, visible
from wardlib.language import get

# Words of an English message that are no code of the tables, nor a column's name, and no word of
# Vietnamese.
ENGLISH = re.compile(
    r"(?<![\w.{/-])(?<!cột )(the|of|is|are|was|as|at|which|that|with|and|or|not|no|nothing|now|from"
    r"|each|must|expected|found|correct|rows?|columns?|cells?|files?|write|remove|report|accepted|another|days"
    r"|letters|bytes|events|folder|unreadable|faulty)(?![\w./-])",
    re.IGNORECASE,
)
# What is quoted from data, the Unicode names of signs, what RE2 says.
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|U\+[0-9A-F]+ [a-z0-9 -]+|\(RE2: .*\)")


def alone(text):
    """A text without what fills it, unless that is said in a language too."""
    if not isinstance(text, Said):
        return ""
    return Said(text.message, {name: alone(value) for name, value in text.values.items()})


def in_vietnamese(text):
    """The text in Vietnamese, of which none is English, and each letter of ours is composed."""
    told = get("vi").say(text)
    assert not ENGLISH.search(QUOTED.sub("", told)), told
    assert unicodedata.is_normalized("NFC", get("vi").say(alone(text))), told
    assert get("en").say(text) == text
    return told


def heard(problems):
    """The problems, each of which names its place in both languages and is all said in Vietnamese."""
    for problem in problems:
        told = problem.told(get("vi"))
        assert problem.told(get("en")) == str(problem)
        head, *texts = told.split("\n    ")
        place = re.findall(r", (?:dòng|cột) ", head)
        assert place == [", dòng "] * bool(problem.row) + [", cột "] * bool(problem.column), told
        assert visible(problem.file) in head
        assert visible(problem.column) in head
        assert not problem.row or f", dòng {problem.row}" in head
        assert [text.partition(": ")[0] for text in texts] == ["thấy", "lẽ ra", "cần làm"], told
        for text in (problem.found, problem.expected, problem.fix):
            in_vietnamese(text)
    return problems
