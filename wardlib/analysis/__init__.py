"""Analysis: tables in, frozen results out; no file, no chart, no word of any language."""
