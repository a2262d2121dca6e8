"""Refusals of the check-ins."""

from sentinel.kernel.errors import Conflict, NotFound


class CheckInUnknown(NotFound):
    """There is no such check-in."""

    def __init__(self) -> None:
        super().__init__(
            "check_in_unknown", "We do not know this question any more. Please reply to our e-mail."
        )


class PleaseCheckSettled(Conflict):
    """Somebody has looked at it already."""

    def __init__(self) -> None:
        super().__init__("please_check_settled", "Somebody has looked at this already.")
