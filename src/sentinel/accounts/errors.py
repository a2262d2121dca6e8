"""What this package refuses."""

from sentinel.kernel.errors import Conflict, Refused


class AccountRefused(Refused):
    """The account or site cannot be entered or changed as asked."""


class WorkerRefused(Refused):
    """The worker cannot be entered or changed as asked."""


class PermissionRefused(Refused):
    """The customer's permission cannot be recorded or withdrawn as asked."""


class RosterRefused(Refused):
    """The roster cannot be previewed or applied."""


class RosterChanged(Conflict):
    """Somebody changed these workers while the roster was being applied; nothing was imported."""
