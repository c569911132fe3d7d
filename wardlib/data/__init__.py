"""Data: descriptors of wards and tables, files read and checked, what was known on a day."""
