"""No pattern of the reader can be made to run for ever: no open repetition stands inside a repetition."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from sentinel.inbound import doubting, meaning, phrases, reading, verdicts

_OPEN = int(_constants.MAXREPEAT)
#: How often a repetition may be repeated before its inside must be of fixed length.
_FEW = 15


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    names = [f"{reading.__name__}.{module.name}" for module in pkgutil.iter_modules(reading.__path__)]
    for module in [*(importlib.import_module(name) for name in names), doubting, meaning, phrases, verdicts]:
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{module.__name__.rpartition('.')[2]}.{name}", value


def children(argument: Any) -> Iterator[Any]:
    """The parsed patterns inside the argument of an operation, however deep."""
    if isinstance(argument, _parser.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for item in argument:
            yield from children(item)


def repeats(parsed: Any, outer: int) -> Iterator[tuple[int, int]]:
    """(how often it is repeated outside, how often inside) of every repetition within a repetition."""
    for operation, argument in parsed:
        most = outer
        if operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            _, high, _ = argument
            if outer > 1 and int(high) > 1:
                yield outer, int(high)
            most = max(outer, int(high))
        for inner in children(argument):
            yield from repeats(inner, most)


@pytest.mark.parametrize(("name", "pattern"), dict(patterns()).items())
def test_repetitions_do_not_multiply(name: str, pattern: re.Pattern[Any]) -> None:
    found = list(repeats(_parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG), 1))
    assert not [pair for pair in found if _OPEN in pair and min(pair) > _FEW], name
    assert not [pair for pair in found if pair[0] == _OPEN], f"{name}: repeats a repetition without end"
