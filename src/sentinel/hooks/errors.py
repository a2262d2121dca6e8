"""What this package refuses."""

from sentinel.kernel.errors import Refused


class EndpointRefused(Refused):
    """This endpoint cannot be entered, tested or changed as asked."""
