"""The helper package of the ward's COVID-19 workbook. Importing it does nothing.

Modules, each importing from layers below its own only (a test holds this):
cli > warm > runs > execution > kernels > forks > exporters > charts, tables > sentences > editions
> blocks > targets > effects, projection, schools, activities, published > relief > receipts,
impact, measures, counts, disclosure > intake > cache > plans > catalogue > language > periods >
errors.
"""

__version__ = "0.1.0"
