"""Runs: which jobs, what is up to date, one notebook executed and published at a time, in parallel."""
