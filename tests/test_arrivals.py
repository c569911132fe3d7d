"""Arrivals: the data check tells from which file and cell the figures came, what was revised, late, missing."""

import datetime
import io
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

import wardlib
from wardlib.analysis import arrivals
from wardlib.data import descriptors
from wardlib.data.intake import examination
from wardlib.language import NBSP
from wardlib.pages import html, typst
from wardlib.periods import Period

sys.path.insert(0, str(Path(__file__).parent / "data" / "intake"))

import make

SAMPLES = {sample.file: sample for sample in make.samples()}
TODAY = datetime.date(2026, 1, 1)


def take(folder, name, reported_on, data=None, ward="phuc-dong"):
    """Take in a sample, or other bytes, as `ward intake --apply` does."""
    path = folder / name
    path.write_bytes(SAMPLES[name].data if data is None else data)
    taken = examination.take_in(
        descriptors.ward(ward), [path], reported_on, apply=True, answers=[], layout="", status="",
        today=TODAY,
    )  # fmt: skip
    assert taken.outcome == "accept", [str(problem) for problem in taken.files[0].problems]
    assert taken.rows
    return taken


def long_list(rows):
    """A workbook with one figure a row."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Thu")
    sheet.write(0, 0, "Đơn vị tính: đồng")
    heads = ["Tháng", "Khoản thu", "Thu NSNN", "Ngân sách phường hưởng"]
    for at, row in enumerate([heads, *rows]):
        for column, value in enumerate(row):
            sheet.write(at + 1, column, value)
    book.close()
    return out.getvalue()


def shown(block):
    return block.plain.replace(NBSP, " ")
