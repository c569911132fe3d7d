"""The helper package of the ward's COVID-19 workbook. Importing it does nothing.

Modules, each importing from layers below its own only (a test holds this):
cli > runs > exporters > editions, charts, tables, sentences > receipts > intake, catalogue >
periods, language, errors.
"""

__version__ = "0.1.0"
