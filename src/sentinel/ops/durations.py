"""Lengths of time as people type them on a command line."""

from datetime import timedelta

import click

from sentinel.kernel.durations import BadDuration, parse_duration


class Duration(click.ParamType[timedelta]):
    """A click type: ``90m``, ``2d``, ``1w 2d 4h``; yields a timedelta greater than zero."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            length = parse_duration(str(value))
        except BadDuration as error:
            self.fail(str(error), param, ctx)
        if not length:
            self.fail(f"{value!r} is no time at all", param, ctx)
        return length
