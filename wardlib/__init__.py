"""The helper package of the ward's COVID-19 workbook. Importing it does nothing."""

__version__ = "0.1.0"
