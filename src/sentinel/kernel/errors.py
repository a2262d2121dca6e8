"""The shape of every refusal: a code for programs, plain words for the person, details for the log."""

from collections.abc import Mapping


class SentinelError(Exception):
    """Root of everything Sentinel raises on purpose."""


class Refused(SentinelError):
    """A request that will not be carried out, for a reason the person asking can understand.

    `code` is stable snake_case for programs and tests, `message` is what the person reads,
    `details` holds plain values for logs and the API. Nothing has been written when it is raised.
    """

    def __init__(self, code: str, message: str, details: Mapping[str, object] | None = None) -> None:
        # All three go into `args`, so that the error survives pickling between processes.
        super().__init__(code, message, details)
        self.code = code
        self.message = message
        self.details: dict[str, object] = dict(details or {})

    def __str__(self) -> str:
        return self.message


class NotAllowed(Refused):
    """This person may not do that."""


class NotFound(Refused):
    """There is no such thing, or this person may not know that there is."""


class Conflict(Refused):
    """Somebody or something else got there first; look again and decide again."""
