"""What can go wrong in this package."""

from __future__ import annotations

from sentinel.kernel.errors import Refused


class EditionError(ValueError):
    """A mistake of ours about a template or its values; no mail is made of it."""


class EditionDiffers(EditionError):
    """A filled mail does not read like the composed one; the template must not be used."""


class RunUnknown(Refused):
    """There is no such run."""

    def __init__(self) -> None:
        super().__init__("run_unknown", "There is no such run.")


class LaneUnknown(Refused):
    """We never wrote to that domain."""

    def __init__(self) -> None:
        super().__init__("lane_unknown", "No mail was ever on its way to that domain.")


class ReasonMissing(Refused):
    """Whoever stops or starts mail says why; the next person reads it."""

    def __init__(self) -> None:
        super().__init__("reason_missing", "Please say why in a few words.")


class LimitRefused(Refused):
    """A pace is a number of mails per minute."""

    def __init__(self) -> None:
        super().__init__("limit_refused", "Please give the limit as mails per minute, above nothing.")
