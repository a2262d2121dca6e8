"""What incoming mail refuses."""

from __future__ import annotations

from sentinel.kernel.errors import Conflict, NotFound


class MailUnknown(NotFound):
    """There is no such mail, or it is none of this person's business."""

    def __init__(self) -> None:
        super().__init__("mail_unknown", "There is no such mail.")


class MailSettled(Conflict):
    """A mail does not wait for a person (any more)."""

    def __init__(self) -> None:
        super().__init__("mail_settled", "This mail does not wait for anybody any more.")
