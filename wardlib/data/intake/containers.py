"""Containers: what kind of file the bytes are, and what is refused before any reader sees them."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from typing import Any
from xml.sax import SAXException

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from wardlib.errors import DataError, Problem, Said, hides, said

MEGABYTE = 1_000_000
SIZE = 20 * MEGABYTE
UNPACKED = 200 * MEGABYTE
PARTS = 2_000
SHEETS = 100
CELLS = 500_000
AREA = 4_000_000  # rows by columns from A1 to the outermost cell that holds anything
TEXT = 32_767  # letters in a cell, as in Excel
LETTERS = 20_000_000  # letters in all cells; of a text that cells share at each of them
MERGES = 50_000
MERGED = 400_000  # cells in the merged blocks that hold anything
BLOCK = 5_000  # cells in the largest block that is looked at cell by cell: a larger one is no head
MERGING = 5_000_000  # cells looked at for whether a merged block covers them
NAME = 200

_CHUNK = 1 << 16
_HEAD = 4096  # letters in which a web page tells what it is
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE)
_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|meta|style|table|script|div)\b", re.IGNORECASE
)
_ARCHIVE = re.compile(r"mime-version:", re.IGNORECASE)  # Excel's "single file web page"
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_EXPECTED = said("a workbook (.xlsx, .xls, .ods) or a CSV file")
_AS_XLSX = said(
    "open it in Excel, choose Save As, “Excel Workbook (.xlsx)”, and bring the new file"
)
_ANEW = said(
    "download it or ask for it once more; if Excel still opens it, save it there as a new .xlsx file"
)
# What other files begin with, and what they are.
_OTHERS = (
    (b"%PDF", said("a PDF document")),
    (b"{\\rtf", said("a text document")),
    (b"\x89PNG", said("a picture")),
    (b"\xff\xd8\xff", said("a picture")),
    (b"GIF8", said("a picture")),
    (b"BM", said("a picture")),
    (b"II*\x00", said("a picture")),
    (b"MM\x00*", said("a picture")),
    (b"Rar!", said("an archive of files")),
    (b"7z\xbc\xaf", said("an archive of files")),
    (b"\x1f\x8b", said("an archive of files")),
    (b"MZ", said("a program")),
)


def refusal(
    name: str, kind: str, found: Said, expected: str = _EXPECTED, fix: str = _ANEW
) -> DataError:
    """The error that refuses the file `name` as a whole."""
    return DataError([Problem(name, 0, "", found, expected, fix, kind=kind)])


def damaged(name: str, found: Said | None = None) -> DataError:
    """The refusal of a file that no program can read to its end."""
    return refusal(name, "file_damaged", found or said("a file that is damaged or was cut off"))


def too_large(name: str, found: Said, expected: Said) -> DataError:
    """The refusal of a file that goes beyond one of the limits."""
    fix = said("keep only the sheets and rows of the report, in a new .xlsx file, and bring that")
    return refusal(name, "file_too_large", found, expected, fix)


def too_many_cells(name: str) -> DataError:
    """The refusal of a file with more filled cells than `CELLS`."""
    return too_large(
        name,
        said("more than {count} filled cells", count=f"{CELLS:,}"),
        said("at most {count} filled cells", count=f"{CELLS:,}"),
    )


def too_many_sheets(name: str) -> DataError:
    """The refusal of a file with more sheets than `SHEETS`."""
    return too_large(
        name,
        said("more than {count} sheets", count=SHEETS),
        said("at most {count} sheets", count=SHEETS),
    )


def oversized(name: str, size: int) -> DataError:
    """The refusal of a file of more bytes than `SIZE`, for which none of them is needed."""
    return too_large(
        name,
        said("a file of {size} MB", size=-(-size // MEGABYTE)),
        said("at most {size} MB", size=SIZE // MEGABYTE),
    )


def too_long(name: str) -> DataError:
    """The refusal of a file with a cell of more letters than `TEXT`."""
    return too_large(
        name,
        said("a cell of more than {limit} letters", limit=f"{TEXT:,}"),
        said("at most {count} letters in a cell", count=f"{TEXT:,}"),
    )


class Tally:
    """What the cells of a file hold so far. A text that many cells share counts at each of them:
    python-calamine writes it out as often."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._letters = self._merges = self._merged = self._looked_at = 0

    def text(self, letters: int, times: int = 1) -> None:
        """`times` cells of so many letters each; DataError beyond `TEXT` or `LETTERS`."""
        if letters > TEXT:
            raise too_long(self.name)
        self._letters += letters * times
        if self._letters > LETTERS:
            raise too_large(
                self.name,
                said("more than {count} letters in all cells", count=f"{LETTERS:,}"),
                said("at most {count} letters in all cells", count=f"{LETTERS:,}"),
            )

    def merges(self, count: int = 1) -> None:
        """So many merged blocks more; DataError beyond `MERGES`."""
        self._merges += count
        if self._merges > MERGES:
            raise self._too_merged()

    def looked_at(self, cells: int) -> None:
        """So many cells are looked at for a merged block; DataError beyond `MERGING`."""
        self._looked_at += cells
        if self._looked_at > MERGING:
            raise self._too_merged()

    def merged(self, area: int) -> None:
        """A merged block of so many cells that holds anything; DataError beyond `MERGED`."""
        self._merged += min(area, BLOCK)
        if self._merged > MERGED:
            raise self._too_merged()

    def _too_merged(self) -> DataError:
        return too_large(
            self.name, said("too many merged cells"), said("a table as people make it")
        )


def within(name: str, sheet: str, height: int, width: int) -> None:
    """DataError where a sheet's outermost cells that hold anything lie too far apart: python-calamine
    lays out each cell between them, filled or not."""
    if height * width > AREA:
        raise too_large(
            name,
            said("cells far apart on sheet {sheet}: {height} rows by {width} columns",
                 sheet=sheet, height=height, width=width),
            said("a table without filled cells far below it or to its right"),
        )  # fmt: skip


class Archive:
    """The parts of a zip file that was looked at: their number, names and unpacked size are sound."""

    def __init__(self, data: bytes, name: str) -> None:
        """DataError where a limit is passed, a part is broken or asks for a password."""
        self.name = name
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise damaged(name) from error
        infos = self._zip.infolist()
        if len(infos) > PARTS:
            raise too_large(
                name,
                said("{count} parts inside the file", count=f"{len(infos):,}"),
                said("at most {count} parts", count=f"{PARTS:,}"),
            )
        # Readers take a part's name in any case and with either slash; two of one name would let each
        # reader see another sheet.
        self._infos = {info.filename.replace("\\", "/").lower(): info for info in infos}
        if any(info.flag_bits & 0x1 for info in infos):
            raise encrypted(name)
        if len(self._infos) < len(infos):
            raise damaged(name)
        if sum(info.file_size for info in infos) > UNPACKED:
            raise _unpacks(name)
        left = UNPACKED
        declared = [info.file_size for info in infos]
        sizes = []
        for info in infos:
            sizes.append(self._measured(info, left))
            left -= sizes[-1]
        if sizes != declared:
            raise damaged(name)

    def _measured(self, info: zipfile.ZipInfo, left: int) -> int:
        """The size of a part, unpacked to its end and thrown away; its check sum is verified."""
        declared = info.file_size
        # It would end the reading; so that the limit is passed before this one does.
        info.file_size = left + 2 * _CHUNK
        size = 0
        try:
            with self._zip.open(info) as part:
                while chunk := part.read(_CHUNK):
                    size += len(chunk)
                    if size > left:
                        raise _unpacks(self.name)
        except (
            zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
            OSError, OverflowError,
        ) as error:  # fmt: skip
            raise damaged(self.name) from error
        info.file_size = declared
        return size

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of all parts, in small letters."""
        return tuple(self._infos)

    def __contains__(self, part: str) -> bool:
        return part.lower() in self._infos

    def read(self, part: str) -> bytes:
        """The bytes of a small part; b"" where there is none."""
        info = self._infos.get(part.lower())
        return self._zip.read(info) if info else b""

    def parse(self, part: str, handler: Any) -> None:
        """Tell a SAX handler what stands in an XML part. DataError where there is no such part or it
        is broken, also where the handler cannot make sense of it; entities and a DTD, with which a
        small part can name an endless text, are refused unread."""
        info = self._infos.get(part.lower())
        if info is None:
            raise damaged(self.name)
        parser = DefusedExpatParser(forbid_dtd=True)
        parser.setContentHandler(handler)
        try:
            with self._zip.open(info) as stream:
                parser.parse(stream)
        except DefusedXmlException as error:
            raise too_large(
                self.name,
                said("a part that defines texts of its own (XML entities)"),
                said("a file as Excel or LibreOffice saves it"),
            ) from error
        except (SAXException, LookupError, ValueError, ArithmeticError) as error:
            raise damaged(self.name) from error


def _unpacks(name: str) -> DataError:
    return too_large(
        name,
        said("a file that unpacks to more than {size} MB", size=UNPACKED // MEGABYTE),
        said("at most {size} MB unpacked", size=UNPACKED // MEGABYTE),
    )


def encrypted(name: str) -> DataError:
    """The refusal of a file that asks for a password."""
    return refusal(
        name,
        "file_encrypted",
        said("a file that asks for a password"),
        said("a file without a password"),
        said(
            "open it in Excel with its password, empty the password under File, Info, Protect "
            "Workbook, Encrypt with Password, save it, and bring it again"
        ),
    )


def unreadable(name: str) -> DataError:
    """The refusal of a text whose letters cannot be told."""
    found = said("letters that no known encoding explains")
    return refusal(name, "text_broken", found, fix=_AS_XLSX)


def named(name: str) -> None:
    """DataError where a file of this name could stand elsewhere than it seems, or not be kept at all."""
    found = None
    if not name.strip(". "):
        found = said("no name of a file")
    elif len(name) > NAME:
        found = said("a name of {count} letters", count=len(name))
    elif "/" in name or "\\" in name:
        found = said("a name with a folder in it")
    elif hides(name):
        found = said("a name with signs that cannot be seen")
    elif _RESERVED.match(name.strip()):
        found = said("a name that Windows keeps for a device")
    if found:
        raise refusal(
            name[:NAME],
            "file_name",
            found,
            said("a name of at most {count} letters, digits, blanks, dots and hyphens", count=NAME),
            said("give the file a short plain name, such as thu-2022-01.xlsx, and bring it again"),
        )


def opened(data: bytes, name: str) -> tuple[str, Archive | None]:
    """What the bytes are, whatever the name says: "xlsx" or "ods" with the archive, "xls", or "csv"
    for any text. DataError for all that is no table, or must not be opened."""
    named(name)
    if len(data) > SIZE:
        raise oversized(name, len(data))
    if not data.strip():
        raise _other(name, said("an empty file"), _ANEW)
    if data.startswith(b"PK"):
        return _zipped(data, name)
    if data.startswith(_OLE):
        return _compound(data, name), None
    for mark, what in _OTHERS:
        if data.startswith(mark) and (len(mark) > 2 or _BINARY.search(data[:_HEAD])):
            raise _other(name, what)
    _text(data, name)
    return "csv", None


def _other(name: str, what: Said, fix: Said | None = None) -> DataError:
    return refusal(
        name,
        "file_not_office",
        what,
        fix=fix or said("ask for the table itself, as an .xlsx file"),
    )


def _zipped(data: bytes, name: str) -> tuple[str, Archive]:
    archive = Archive(data, name)
    if "xl/workbook.bin" in archive:
        raise _other(name, said("a binary workbook (.xlsb)"), _AS_XLSX)
    mimetype = archive.read("mimetype") if "content.xml" in archive else b""
    if mimetype and b"spreadsheet" not in mimetype:
        raise _other(name, said("a text document"))
    if b"<manifest:encryption-data" in archive.read("META-INF/manifest.xml"):
        raise encrypted(name)
    if "content.xml" in archive:
        return "ods", archive
    if any(part.startswith(("word/", "ppt/", "visio/")) for part in archive.parts):
        raise _other(name, said("a text document"))
    if "[content_types].xml" not in archive or "_rels/.rels" not in archive:
        raise damaged(name, said("a zip file without a workbook in it"))
    return "xlsx", archive


def entries(data: bytes) -> set[str]:
    """The names in the directory of an OLE file. Its entries have 128 bytes and begin at multiples of
    them: the name in UTF-16, at byte 64 the name's length with its closing zero, at 66 the type."""
    names = set()
    for start in range(512, len(data) - 127, 128):
        length, kind = data[start + 64], data[start + 66]
        if data[start + 65] or kind not in (1, 2, 5) or not 4 <= length <= 64 or length % 2:
            continue
        with_end = data[start : start + length]
        if with_end.endswith(b"\x00\x00"):
            names.add(with_end[:-2].decode("utf-16-le", "replace"))
    return names


def _compound(data: bytes, name: str) -> str:
    names = entries(data)
    if "EncryptedPackage" in names:
        raise encrypted(name)
    if "Workbook" in names or "Book" in names:
        return "xls"
    if "WordDocument" in names or "PowerPoint Document" in names:
        raise _other(name, said("a text document"))
    raise damaged(name, said("an old office file without a workbook in it"))


def _text(data: bytes, name: str) -> None:
    """DataError where the bytes are no text, or the text of a web page."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not wide and _BINARY.search(data):
        if ending in {"xlsx", "xlsm", "xls", "ods"}:
            raise damaged(name)
        if ending in {"csv", "tsv", "txt"}:
            raise unreadable(name)
        raise _other(name, said("a file of an unknown kind"))
    head = data[:_HEAD].decode("utf-16" if wide else "latin-1", "replace")
    head = head.removeprefix("\xef\xbb\xbf").lstrip()
    if _ARCHIVE.match(head) or (head.startswith("<") and _HTML.search(head)):
        raise refusal(
            name, "file_is_html", said("a web page, whatever its name says"), fix=_AS_XLSX
        )
    if "urn:schemas-microsoft-com:office:spreadsheet" in head:
        raise refusal(name, "file_is_html", said("an “XML Spreadsheet 2003”"), fix=_AS_XLSX)
    if head.startswith("<?xml"):
        raise _other(name, said("an XML file"), _AS_XLSX)
