"""The settings that say how many notices one browser, chat, number or webhook takes; how they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings

from sentinel.config.servers import wrong

EXAMPLE = "10/minute,120/hour"
#: More than this is no limit any more; whoever wants none says so.
MOST = 100_000
_SPANS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_PART = re.compile(r"([0-9]{1,9})/(minute|hour)")

#: At most so many within a time; the shorter time first.
Limits = tuple[tuple[timedelta, int], ...]


def limits_of(text: str) -> Limits:
    """The limits of one kind of target; none at all for ``none``. Raises ValueError in plain words.

    Nothing below one: the first alarm goes through whatever the limit, and a target that takes nothing is
    switched off where its user looks after it, not here.
    """
    if text.strip().lower() == "none":
        return ()
    found: dict[timedelta, int] = {}
    for part in filter(None, re.split(r"[,\s]+", text.strip().lower())):
        read = _PART.fullmatch(part)
        if read is None or _SPANS[read[2]] in found:
            raise wrong(f"must look like {EXAMPLE}, each at most once, or be none")
        found[_SPANS[read[2]]] = int(read[1])
    if not found:
        raise wrong(f"must look like {EXAMPLE}, or be none")
    if not all(1 <= most <= MOST for most in found.values()):
        raise wrong(f"takes numbers from 1 to {MOST}; to have no limit, write none")
    if found.get(_SPANS["hour"], MOST) < found.get(_SPANS["minute"], 1):
        raise wrong("must allow at least as many in an hour as in a minute")
    return tuple(sorted(found.items()))


def _checked(text: str) -> str:
    limits_of(text)
    return text


class LimitSettings(BaseSettings):
    """How many notices one target takes; a part of the environment. E-mail has its relay's own limits."""

    push_limit: Annotated[
        str, AfterValidator(_checked), Field(description="notices that one browser takes")
    ] = "10/minute,120/hour"
    chat_limit: Annotated[
        str, AfterValidator(_checked), Field(description="notices that one chat or number takes")
    ] = "5/minute,30/hour"
    webhook_limit: Annotated[
        str, AfterValidator(_checked), Field(description="notices that one webhook of a user takes")
    ] = "30/minute,600/hour"

    @property
    def target_limits(self) -> Mapping[str, Limits]:
        """The limits by channel."""
        return {
            "push": limits_of(self.push_limit),
            "chat": limits_of(self.chat_limit),
            "webhook": limits_of(self.webhook_limit),
        }
