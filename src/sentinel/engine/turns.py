"""One turn of a pass that does one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime


def up_to(most: int, handle_one: Callable[[datetime], bool], now: datetime) -> int:
    """Handle one after the other until nothing is left or the other passes must have their turn; returns
    how many were handled."""
    handled = 0
    while handled < most and handle_one(now):
        handled += 1
    return handled
