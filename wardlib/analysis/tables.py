"""Tables: how analysis asks for them, and the arrays that it makes of them.

`Tables` gives a table by its name, None where the ward has none: `Book.table`, or a dictionary's `get`.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wardlib.errors import RequestError, said

Tables: TypeAlias = Callable[[str], pd.DataFrame | None]
Floats: TypeAlias = NDArray[np.floating[Any]]
Ints: TypeAlias = NDArray[np.integer[Any]]
Bools: TypeAlias = NDArray[np.bool_]
Days: TypeAlias = NDArray[np.datetime64]


def need(table: Tables, name: str) -> pd.DataFrame:
    """The table of that name; raises RequestError where there is none."""
    found = table(name)
    if found is None:
        raise RequestError(
            said(
                "this ward has no table {name}, without which nothing can be said: add {name}.csv to "
                "its folder and describe it in its datapackage.json.",
                name=name,
            )
        )
    return found


def months_of(table: pd.DataFrame | pd.Series) -> pd.PeriodIndex:
    """The months by which a table or series is indexed."""
    return cast(pd.PeriodIndex, table.index)  # the stubs know no index but `Index`
