"""What Sentinel's own rows say about a call while the service talks about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallState, Provider


@dataclass(frozen=True, kw_only=True)
class Known:
    """``ref``: the service's name for it, once known. ``is_over``: ended, or somebody wants it to end.
    ``is_test``: only the owner's telephone rings."""

    owner_number: str
    ref: str
    state: CallState
    is_over: bool
    is_test: bool = False


class Books(Protocol):
    """What is known about calls, by key."""

    def known(self, key: str) -> Known | None:
        """What is known about a call."""

    def is_taken(self, ref: str) -> bool:
        """Whether a call of the service belongs to a key already."""

    def is_test(self, ref: str) -> bool:
        """Whether that call of the service is a test."""


class Rows:
    """The books that the placed calls themselves are."""

    def known(self, key: str) -> Known | None:
        call = PlacedCall.objects.filter(key=key, provider=Provider.HTTP_VOICE.value).first()
        if call is None:
            return None
        return Known(
            owner_number=call.owner_number,
            ref=call.provider_ref,
            state=CallState(call.state),
            is_over=not call.is_going_on or call.hang_up_asked_at is not None,
            is_test=call.is_test,
        )

    def is_taken(self, ref: str) -> bool:
        return PlacedCall.objects.filter(provider=Provider.HTTP_VOICE.value, provider_ref=ref).exists()

    def is_test(self, ref: str) -> bool:
        rows = PlacedCall.objects.filter(provider=Provider.HTTP_VOICE.value, provider_ref=ref)
        return rows.filter(problem=None).exists()
