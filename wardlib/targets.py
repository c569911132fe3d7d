"""The year's targets that are not money: where each indicator stands against its target."""

from __future__ import annotations

import pandas as pd

from wardlib.periods import Period


def standing(
    values: pd.DataFrame | None,
    indicators: pd.DataFrame,
    targets: pd.DataFrame | None,
    period: Period,
) -> pd.DataFrame | None:
    """Each indicator at the end of `period`: index `indicator`, in the order of `indicators`.

    Columns: `name_vi, name_en, unit_vi, unit_en, kind, decimals` from the indicators;
    `value`, the year-to-date value of the period's last month in the indicator's unit (shares in
    per cent), missing where not reported; `status` (estimate, actual or ""); `reported_on`;
    `target`, set by the upper level; `share` = value / target for flows and stocks (a share's
    distance from its target is in points, so no ratio is formed). None where the ward has no
    table of indicator values.
    """
    if values is None:
        return None
    known = indicators[indicators["code"].isin(values["indicator"])].set_index("code")
    table = known[["name_vi", "name_en", "unit_vi", "unit_en", "kind", "decimals"]]
    last = values[values["month"] == period.last].set_index("indicator")
    table = table.join(last[["value", "status", "reported_on"]]).rename_axis("indicator")
    table["status"] = table["status"].fillna("")
    if targets is None:
        return table.assign(target=float("nan"), share=float("nan"))
    upper = targets[(targets["year"] == period.year) & (targets["set_by"] == "upper")]
    table = table.join(upper.set_index("line")["amount"].rename("target"))
    countable = (table["kind"] != "share") & (table["target"] > 0)
    return table.assign(share=(table["value"] / table["target"]).where(countable))
