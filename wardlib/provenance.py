"""Provenance: the digests of files, and what runs here: Python, packages, wardlib's own code."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import platform
import re
from pathlib import Path

_PACKAGE = Path(__file__).parent
_CODE = {".py", ".po", ".csv", ".j2", ".css", ".json", ".mplstyle", ".npy"}


def digest(path: Path) -> str:
    """The digest of a file: "sha256:" and 64 hexadecimal digits."""
    return digest_bytes(path.read_bytes())


def digest_bytes(data: bytes) -> str:
    """The same of bytes that are at hand."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def code_files() -> list[Path]:
    """Every file of wardlib that bears on what a job makes: code, catalogues, templates, styles."""
    return sorted(file for file in _PACKAGE.rglob("*") if file.suffix in _CODE)


@functools.cache
def versions() -> dict[str, str]:
    """What runs a job: Python, wardlib with the digest of its code, which a checkout may have
    changed, the packages that it asks for, and the digest of the lock where there is one."""
    code = hashlib.sha256()
    for file in code_files():
        code.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0" + file.read_bytes())
    needs = importlib.metadata.requires("wardlib") or []
    direct = sorted(re.split(r"[ <>=!~;\[]", need)[0] for need in needs if "extra ==" not in need)
    own = {"wardlib": f"{importlib.metadata.version('wardlib')}+{code.hexdigest()[:12]}"}
    lock = _PACKAGE.parent / "requirements.lock"
    return (
        own
        | {"python": platform.python_version()}
        | ({"requirements.lock": digest(lock)} if lock.is_file() else {})
        | {name: importlib.metadata.version(name) for name in direct}
    )
