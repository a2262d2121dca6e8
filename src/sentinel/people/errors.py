"""What this package refuses."""

from sentinel.kernel.errors import Refused


class AbsenceRefused(Refused):
    """The absence cannot be entered as asked."""


class UserRefused(Refused):
    """The user cannot be entered or changed as asked."""


class ShiftRefused(Refused):
    """This person cannot be officer of the day on that date."""


class ContactRefused(Refused):
    """This way cannot be entered, verified, tested or changed as asked."""


class QuietHoursRefused(Refused):
    """These hours would let nobody through, or cannot be read."""


class CalendarFileRefused(Refused):
    """This file is no calendar, or holds more than a person's absences."""
