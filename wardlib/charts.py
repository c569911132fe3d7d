"""For an analyst's own figures: `charts.figure` makes one of matplotlib or seaborn a chart of the page.

from wardlib import charts
charts.figure(fig, book, title="…", alt="…")
"""

from wardlib.pages.figures import figure as figure

__all__ = ["figure"]
