"""Running an act again that PostgreSQL took back for the sake of another one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

logger = logging.getLogger(__name__)

#: How often an act runs at most.
TRIES = 3
#: What PostgreSQL calls a deadlock it has broken, and a serialisation failure: nothing is wrong with the act.
_COLLISIONS = frozenset({"40P01", "40001"})

P = ParamSpec("P")
R = TypeVar("R")


def again_after_collision(act: Callable[P, R]) -> Callable[P, R]:
    """Run ``act``, which is one transaction, up to three times while PostgreSQL gives way to others with it.

    Nothing of a try that was taken back remains, so whoever pressed a button need not hear of it. Within
    a transaction of the caller there is nothing to run again: all of that is lost, and the caller decides.
    """

    @wraps(act)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        tries = 1 if connection.in_atomic_block else TRIES
        for number in range(1, tries):
            try:
                return act(*args, **kwargs)
            except OperationalError as error:
                if not is_collision(error):
                    raise
                logger.info("%s collided with another act; try %d follows", act.__name__, number + 1)
        return act(*args, **kwargs)

    return run


def is_collision(error: OperationalError) -> bool:
    """Whether two acts met, and the database let the other one pass."""
    return getattr(error.__cause__, "sqlstate", None) in _COLLISIONS
