"""Lengths of time as people type them."""

import re
from datetime import timedelta

import click

UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
WHOLE = re.compile(r"(?:\d+[wdhms])+")
PIECE = re.compile(r"(\d+)([wdhms])")


class Duration(click.ParamType[timedelta]):
    """A click type: `90m`, `2d`, `1w2d4h`; yields a timedelta greater than zero."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        text = str(value).replace(" ", "").lower()
        length = timedelta()
        if WHOLE.fullmatch(text):
            for amount, unit in PIECE.findall(text):
                length += timedelta(**{UNITS[unit]: int(amount)})
        if not length:
            self.fail(f"{value!r} is not a length of time; write 90m, 2d or 1w2d4h", param, ctx)
        return length
