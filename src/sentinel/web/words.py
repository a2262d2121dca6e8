"""The words and tones of states, duties, severities and outcomes, as the console says them."""

from __future__ import annotations

from sentinel.accounts.rules import MailState, Rhythm
from sentinel.bulk.states import DeliveryState
from sentinel.checkins.rules import ResponseKind, Severity
from sentinel.escalation.rules import Audience, DutyKind
from sentinel.inbound.states import Outcome
from sentinel.people.rules import Role
from sentinel.problems.rules import CallOutcome, EndReason, How, ProblemState
from sentinel.standing.states import SuppressedBecause

#: label, tone of the pill
STATES: dict[str, tuple[str, str]] = {
    ProblemState.REPORTED.value: ("Reported", "suffer"),
    ProblemState.ACKNOWLEDGED.value: ("Acknowledged", "info"),
    ProblemState.IN_CONTACT.value: ("In contact", "info"),
    ProblemState.COMMITTED.value: ("Promised", "info"),
    ProblemState.PROPOSED.value: ("Unconfirmed", "soon"),
    ProblemState.REOPENED.value: ("Reopened", "suffer"),
    ProblemState.CONFIRMED.value: ("Confirmed solved", "calm"),
    ProblemState.ENDED.value: ("Ended, not solved", "neutral"),
}

DUTIES: dict[str, str] = {
    DutyKind.ACKNOWLEDGE.value: "Acknowledge",
    DutyKind.CALL.value: "Call",
    DutyKind.PROMISE.value: "Promise a date",
    DutyKind.SOLVE.value: "Solve",
    DutyKind.ASK.value: "Wait for the worker's answer",
}

SEVERITIES: dict[str, tuple[str, str]] = {
    Severity.ANNOYING.value: ("Annoying", "neutral"),
    Severity.HINDERS.value: ("Hinders work", "soon"),
    Severity.STOPPED.value: ("Work stopped", "suffer"),
}

OUTCOMES: dict[str, str] = {
    CallOutcome.REACHED.value: "Reached",
    CallOutcome.NO_ANSWER.value: "No answer",
    CallOutcome.CALL_BACK.value: "Call back later",
    CallOutcome.WRONG_NUMBER.value: "Wrong number",
}

END_REASONS: dict[str, str] = {
    EndReason.LEFT.value: "The worker left the customer",
    EndReason.UNREACHABLE.value: "The worker cannot be reached",
    EndReason.WITHDREW.value: "The worker took it back",
}

#: Why somebody else answers from now on.
NEW_HANDS: dict[str, str] = {
    "taken_over": "The ladder climbed to the officer of the day",
    "absent": "Whoever answered for it is away",
}

#: How a roster file was written, in words of whoever saved it.
ENCODINGS: dict[str, str] = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows (Western European)",
    "cp932": "Windows (Japanese)",
}

HOWS: dict[str, str] = {
    How.LINK.value: "by their own press",
    How.REPLY.value: "by their own mail",
    How.TELEPHONE.value: "on the telephone",
}

KINDS: dict[str, tuple[str, str]] = {
    ResponseKind.PROBLEM.value: ("Problem", "suffer"),
    ResponseKind.COMMENT.value: ("Comment", "info"),
    ResponseKind.SUGGESTION.value: ("Suggestion", "info"),
    ResponseKind.PRAISE.value: ("Praise", "calm"),
    ResponseKind.NOTHING.value: ("Happy, no words", "calm"),
}

AUDIENCES: dict[str, str] = {
    Audience.OWNER.value: "owner",
    Audience.DEPUTY.value: "deputy",
    Audience.MANAGER.value: "manager",
    Audience.OFFICER.value: "officer of the day",
    Audience.EXECUTIVE.value: "focus executive",
}

ROLES: dict[str, str] = {
    Role.OWNER.value: "Account manager",
    Role.MANAGER.value: "Manager",
    Role.EXECUTIVE.value: "Executive",
    Role.OFFICER.value: "Officer of the day",
    Role.ADMINISTRATOR.value: "Administrator",
    Role.ANALYST.value: "Analyst",
}

RHYTHMS: dict[str, str] = {
    Rhythm.PROGRAMME.value: "as the programme says",
    Rhythm.WEEKLY.value: "weekly",
    Rhythm.MONTHLY.value: "monthly",
    Rhythm.QUARTERLY.value: "quarterly",
    Rhythm.PAUSE.value: "paused by the worker",
}

MAIL_STATES: dict[str, tuple[str, str]] = {
    MailState.GOOD.value: ("Good", "neutral"),
    MailState.BOUNCED.value: ("Bounced", "suffer"),
    MailState.COMPLAINED.value: ("Complained", "suffer"),
}

#: What an incoming mail is.
MAIL_KINDS: dict[str, str] = {
    "human": "Written by a person",
    "auto_reply": "Automatic answer",
    "out_of_office": "Absence note",
    "delivery_report": "Delivery report",
    "complaint": "Complaint of a mail program",
    "loop": "Our own mail, or a loop",
    "unreadable": "Could not be read",
}

#: By which key an incoming mail was recognised, the surest first.
MAIL_THREADS: dict[str, str] = {
    "token": "the signed address it was sent to",
    "verp": "the signed address mail comes back to",
    "references": "the mail it answers",
    "link": "a signed link in its text",
    "sender": "its sender only, which proves nothing",
    "none": "nothing",
}

#: Where one recipient's check-in stands, in the words of the counts above the list.
DELIVERY_STATES: dict[str, str] = {
    DeliveryState.PENDING.value: "Waiting",
    DeliveryState.CLAIMED.value: "Waiting, in the sender's hands",
    DeliveryState.BEGUN.value: "On the wire",
    DeliveryState.SENT.value: "Sent",
    DeliveryState.DEFERRED.value: "Deferred",
    DeliveryState.FAILED.value: "Failed",
    DeliveryState.SKIPPED.value: "Not sent",
}

#: What an incoming mail set in motion.
MAIL_OUTCOMES: dict[str, str] = {
    Outcome.ANSWERED_HAPPY.value: "All is well",
    Outcome.COMMENTED.value: "A comment; the owner was told",
    Outcome.PROBLEM_OPENED.value: "It opened a problem",
    Outcome.WORDS_JOINED.value: "The words joined the problem",
    Outcome.CONFIRMED.value: "It confirmed that the problem is solved",
    Outcome.REOPENED.value: "Not yet solved: the problem was reopened",
    Outcome.CAME_BACK.value: "It came back: the problem is open again",
    Outcome.ASKED_ONCE_MORE.value: "Neither yes nor no: the worker was asked once more",
    Outcome.THANKED.value: "Thanks; nothing was changed by it",
    Outcome.UNSUBSCRIBED.value: "They asked to be left alone",
    Outcome.PROVISIONAL.value: "Nothing proves that the worker wrote it: please check",
    Outcome.OWNER_TOLD.value: "The owner was told",
    Outcome.NOTED.value: "A colleague's note on the problem",
    Outcome.AWAY.value: "What waits for the worker waits until they are back",
    Outcome.AUTOMATIC.value: "Automatic; nothing follows from it",
    Outcome.BOUNCED_HARD.value: "Nobody lives at this address",
    Outcome.BOUNCED_SOFT.value: "Not delivered this time",
    Outcome.BLOCKED.value: "The domain blocks us",
    Outcome.DELAYED.value: "Delayed on its way",
    Outcome.DELIVERED.value: "Delivered",
    Outcome.COMPLAINED.value: "Marked as spam: they are left alone from now on",
    Outcome.LOOP.value: "Our own mail; nothing follows from it",
    Outcome.TWICE.value: "It came before, through another door",
    Outcome.EMPTY.value: "Nothing new is written in it",
    Outcome.UNPLACED.value: "Nobody knows what it belongs to",
    Outcome.UNREADABLE.value: "It cannot be read",
    Outcome.REFUSED.value: "What it asks for is not possible",
    Outcome.FAILED.value: "Reading it failed again and again",
    Outcome.ATTACHED.value: "Somebody put it to a problem",
    Outcome.OPENED_BY_PERSON.value: "Somebody opened a problem from it",
    Outcome.ANSWERED_OTHERWISE.value: "Somebody dealt with it otherwise",
}

SUPPRESSED: dict[str, str] = {
    SuppressedBecause.COMPLAINT.value: "Complained",
    SuppressedBecause.BOUNCE.value: "Nobody lives there",
    SuppressedBecause.REQUEST.value: "Asked for it",
    SuppressedBecause.OBJECTION.value: "Unsubscribed",
}

GRADES: dict[str, tuple[str, str]] = {
    "good": ("Good", "calm"),
    "note": ("Look at this", "soon"),
    "bad": ("Change this", "suffer"),
    "unknown": ("Not known", "neutral"),
}

LANGUAGES: dict[str, str] = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "ja": "Japanese",
}  # fmt: skip


def language_name(code: str) -> str:
    """A language for people; an unknown code stands for itself."""
    return LANGUAGES.get(code[:2], code)


def way_words(channel: str) -> str:
    """How a message went, as in "told by mail"."""
    return "mail" if channel == "email" else channel


def roles_text(roles: list[str]) -> str:
    """All roles of a user in one line."""
    return ", ".join(ROLES.get(role, role) for role in roles)


def choices(words: dict[str, str]) -> list[tuple[str, str]]:
    """The words as choices of a form field."""
    return list(words.items())
