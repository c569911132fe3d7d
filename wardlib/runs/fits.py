"""Fits kept between runs: a folder of arrays by digest, which may be deleted at any time.

The folder is `WARDLIB_CACHE`, or the user's for caches. A file's name is the digest of what its array was
made of and of the code that made it; it is read where its own digest is that of what it holds, else
made anew. Where nothing can be read or written, nothing is kept, and nothing is said.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import os
import platform
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import platformdirs

from wardlib import provenance
from wardlib.analysis import remembered
from wardlib.analysis.tables import Floats

MOST = 256 * 2**20  # bytes of the folder, but for what is put between two sweeps
_SWEPT = "04"  # digests below are a 64th of all: each of them that is put has the folder swept
_NAME = re.compile(r"[0-9a-f]{64}(\.\d+)?")


def _estimator() -> str:
    """What makes the arrays: code that analysis stands on, libraries, and how this machine calculates, which
    depends on its processor too."""
    libraries = [importlib.metadata.version(name) for name in ("numpy", "scipy", "pandas")]
    made = hashlib.sha256(repr((libraries, platform.machine())).encode())
    some = np.sin(np.arange(3600.0)).reshape(60, 60)
    for probe in (np.linalg.cholesky(some @ some.T + 60 * np.eye(60)), np.exp(some)):
        made.update(probe.tobytes())
    package = Path(provenance.__file__).parent
    for file in provenance.code_files():
        name = file.relative_to(package).as_posix()
        if not name.startswith(("pages/", "runs/", "locale/")):
            made.update(f"{name} {provenance.digest(file)}\n".encode())
    return made.hexdigest()


ESTIMATOR = _estimator()  # as it was loaded, whatever is edited later


class Fits:
    """A `remembered.Store` in a folder, of what one `estimator` makes."""

    def __init__(self, folder: Path, estimator: str = ESTIMATOR):
        self.folder, self.estimator = folder, estimator

    def get(self, digest: str) -> Floats | None:
        file = self._file(digest)
        try:
            if not file.is_file() or (data := file.read_bytes())[:32] != _seal(file, data[32:]):
                return None
            made: Floats = np.lib.format.read_array(io.BytesIO(data[32:]), allow_pickle=False)
        except Exception:  # whatever stands there
            return None
        with suppress(OSError):
            os.utime(file)
        return made

    def put(self, digest: str, made: Floats) -> None:
        file = self._file(digest)
        draft = file.with_suffix(f".{os.getpid()}")
        whole = io.BytesIO()
        np.lib.format.write_array(whole, made, allow_pickle=False)
        data = whole.getvalue()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_bytes(_seal(file, data) + data)
            draft.replace(file)
        except OSError:
            with suppress(OSError):
                draft.unlink()
        if file.name < _SWEPT:
            self.sweep()

    def sweep(self) -> None:
        """Delete what was not used for longest, as far as the folder holds more than `MOST`."""
        found = []
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    if _NAME.fullmatch(entry.name) and entry.is_file():
                        found.append((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path))
        held = 0
        for _, size, path in sorted(found, reverse=True):
            held += size
            if held > MOST:
                with suppress(OSError):
                    os.unlink(path)  # noqa: PTH108 - a text, of thousands

    def _file(self, digest: str) -> Path:
        return self.folder / hashlib.sha256(f"{self.estimator} {digest}".encode()).hexdigest()


def _seal(file: Path, data: bytes) -> bytes:
    return hashlib.sha256(file.name.encode() + data).digest()


def attach() -> None:
    """From now on this process and its forks keep fits."""
    own = platformdirs.user_cache_path("wardlib", appauthor=False)
    folder = Path(os.environ.get("WARDLIB_CACHE") or own)
    if folder.is_absolute():  # of a user without a home it is "~" right here
        remembered.attach(Fits(folder / "fits"))
