"""What this package refuses."""

from sentinel.kernel.errors import Conflict, NotFound, Refused


class SuppressionRefused(Refused):
    """The address cannot be put on the list, or taken off it, as asked."""


class SuppressionUnknown(NotFound):
    """There is no such entry of the list."""


class AlreadyLifted(Conflict):
    """The entry is not in force any more."""


class BrakeRefused(Refused):
    """The brake cannot be released as asked."""


class BrakeReleased(Conflict):
    """The brake is not set any more."""


class CheckUpRefused(Refused):
    """The domain cannot be examined as asked."""
