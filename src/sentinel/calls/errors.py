"""What calls refuse."""

from __future__ import annotations

from sentinel.calls.rules import WhyNot
from sentinel.kernel.errors import Refused

_SENTENCES = {
    WhyNot.CLOSED: "This problem is closed; no call is owed.",
    WhyNot.UNWANTED: "The worker does not want to be called. Write to them instead.",
    WhyNot.NO_WORKER_NUMBER: "There is no telephone number of the worker that can be dialled.",
    WhyNot.NO_OWNER_NUMBER: "Enter your own telephone number on your profile first: it rings first.",
    WhyNot.OUTSIDE_HOURS: "The worker is not at work now, and did not ask to be called at this time.",
    WhyNot.TALKING: "A call is going on already: yours, or somebody else's about this problem.",
    WhyNot.NO_PROVIDER: "No telephone exchange is set up. Please dial yourself.",
}


def sentence(why: WhyNot) -> str:
    """Why no call may be placed now, for the person who wants to."""
    return _SENTENCES[why]


class CallRefused(Refused):
    """No call may be placed now; ``why`` says why, the message says it to a person."""

    def __init__(self, why: WhyNot) -> None:
        super().__init__(f"call_{why.value}", sentence(why), {"why": why.value})
        self.why = why
