"""Does a "yes, solved" come with words that say no? Pure, in the five languages Sentinel speaks.

A doubt closes and reopens nothing; it only makes the worker asked once more. Hence the rule may be
generous: phrases in which an alarming word is good news ("it works again") are taken out first,
then any remaining alarming word raises the doubt. "Thanks" never does.
"""

from __future__ import annotations

from sentinel.inbound.doubting import DOUBTING, SOOTHING


def contradicts(words: str) -> bool:
    """Whether words that came with a yes sound like a no, in any of the five languages."""
    flat = " ".join(words.split())
    return bool(DOUBTING.search(SOOTHING.sub(" ", flat)))
