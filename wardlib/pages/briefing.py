"""What the leader's page has that no other has: the key figures."""

from __future__ import annotations

import pandas as pd

from wardlib.analysis.targets import Targets
from wardlib.language import NBSP, NONE, inside, is_missing
from wardlib.pages.block import Block, cards, paragraph
from wardlib.pages.page import Page
from wardlib.pages.tax import unreported


class BriefingPage(Page[Targets]):
    """What the unit keeps of its receipts, and its other targets."""

    def key_figures(self) -> Block:
        """A card of what the unit keeps and of each indicator, with its target. (The receipts
        themselves stand in the headline.)"""
        kept = self.result.receipts.lines["kept_year_to_date"][self.result.receipts.root]
        amount = self.edition.unit(kept).amount(kept)
        own = (amount, self.edition.text("kept by its own budget"), "")
        standing = self.result.standing
        return cards([own, *(self._card(indicator) for _, indicator in standing.iterrows())])

    def not_reported(self) -> Block:
        """Which figures of the year to date, of receipts and other targets, are estimates and which
        have not come in."""
        said = unreported(self.edition, self.result.receipts, self.result.standing)
        return paragraph(" ".join(said), note=True)

    def _card(self, indicator: pd.Series) -> tuple[str, str, str]:
        """An indicator's value with its unit, what it is, and its target."""
        language, text = self._language, self._text
        name = inside(language.pick(indicator, "name"))
        if is_missing(indicator["value"]):
            return NONE, name, text("not reported")
        unit, decimals = language.pick(indicator, "unit"), indicator["decimals"]
        detail = ""
        if not is_missing(indicator["target"]):
            amount = language.number(indicator["target"], decimals, trim=True)
            detail = text("target {amount}", amount=f"{amount}{NBSP}{unit}")
            if not is_missing(indicator["share"]):
                detail = f"{language.percent(indicator['share'])} · {detail}"
        value = language.number(indicator["value"], decimals, trim=True)
        return f"{value}{NBSP}{unit}", name, detail
