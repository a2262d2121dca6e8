"""What everybody of the cast shares."""

#: Everybody of the cast signs in with it; it opens nothing but invented data on this machine.
PASSWORD = "show-me-sentinel"  # noqa: S105  # printed for everybody to read
