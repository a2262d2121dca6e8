"""Why a call ended, out of what an exchange says when a telephone is not answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sentinel.channels.voice.base import EndReason, Leg
from sentinel.channels.voice.sip.incoming import Refused

_CAUSE = re.compile(
    r"Q\.850\s{0,4};(?:[^,]{0,200};)?\s{0,4}cause\s{0,4}=\s{0,4}([0-9]{1,3})", re.IGNORECASE | re.ASCII
)
#: The causes of ITU-T Q.850 that gateways pass on from the telephone network.
_CAUSES: Mapping[int, EndReason] = {
    1: EndReason.UNREACHABLE,
    17: EndReason.BUSY,
    18: EndReason.NO_ANSWER,
    19: EndReason.NO_ANSWER,
    20: EndReason.UNREACHABLE,
    21: EndReason.DECLINED,
    22: EndReason.UNREACHABLE,
    27: EndReason.UNREACHABLE,
    28: EndReason.UNREACHABLE,
}
_STATUSES: Mapping[int, EndReason] = {
    404: EndReason.UNREACHABLE,
    410: EndReason.UNREACHABLE,
    480: EndReason.UNREACHABLE,
    484: EndReason.UNREACHABLE,
    485: EndReason.UNREACHABLE,
    486: EndReason.BUSY,
    487: EndReason.NO_ANSWER,
    600: EndReason.BUSY,
    603: EndReason.DECLINED,
    604: EndReason.UNREACHABLE,
    607: EndReason.DECLINED,
}


@dataclass(frozen=True)
class Ending:
    """What an event says: why, about whose telephone, and in the exchange's own words."""

    reason: EndReason | None
    side: Leg | None
    detail: str


def ending_of(refused: Refused, side: Leg) -> Ending:
    """Read a refusal."""
    response, status = refused.response, refused.status
    if status in (401, 403, 407):
        return Ending(EndReason.FAILED, side, f"{refused}: the exchange does not let us call")
    if 300 <= status < 400:
        return Ending(EndReason.UNREACHABLE, side, f"{refused}: diverted; diversions are not followed")
    for value in response.headers.all("Reason"):
        if (match := _CAUSE.search(value)) and int(match[1]) in _CAUSES:
            return Ending(_CAUSES[int(match[1])], side, str(refused))
    # The far end's own 408 after ringing is a person who did not answer; ours is an exchange that is silent.
    if status == 408 and refused.rang:
        return Ending(EndReason.NO_ANSWER, side, str(refused))
    return Ending(_STATUSES.get(status, EndReason.FAILED), side, str(refused))
