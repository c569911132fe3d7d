"""Open Document: the sheets of an .ods file, with all that is stored of each cell."""

from __future__ import annotations

from wardlib.data.intake import containers
from wardlib.data.intake.grids import Grid


def grids(archive: containers.Archive) -> list[Grid]:
    raise NotImplementedError
