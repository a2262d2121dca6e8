"""What problems refuse."""

from __future__ import annotations

from sentinel.kernel.errors import Conflict, NotAllowed, Refused
from sentinel.problems.rules import ProblemState


def _said(state: ProblemState) -> str:
    return state.value.replace("_", " ")


class TransitionRefused(Conflict):
    """The act does not fit the problem's state, often because somebody else was faster."""

    def __init__(self, *, state: ProblemState, to: ProblemState) -> None:
        super().__init__(
            "transition_refused",
            f"This problem is “{_said(state)}” now; it cannot become “{_said(to)}”.",
            {"state": state.value, "to": to.value},
        )


class EndRefused(Refused):
    """A problem may not end yet; the message lists everything that is missing."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__("end_refused", "Not yet: " + "; ".join(missing) + ".", {"missing": list(missing)})


class HumanEvidenceMissing(NotAllowed):
    """A verdict, an objection or a request needs a human's press or words."""

    def __init__(self) -> None:
        super().__init__("human_evidence_missing", "Please confirm that you are a person.")
