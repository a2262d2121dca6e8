"""The words and tones of states, duties, severities and outcomes, as the console says them."""

from __future__ import annotations

from sentinel.accounts.rules import MailState, Rhythm
from sentinel.checkins.rules import ResponseKind, Severity
from sentinel.escalation.rules import Audience, DutyKind
from sentinel.people.rules import Role
from sentinel.problems.rules import CallOutcome, EndReason, How, ProblemState

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

LANGUAGES: dict[str, str] = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "ja": "Japanese",
}  # fmt: skip


def language_name(code: str) -> str:
    """A language for people; an unknown code stands for itself."""
    return LANGUAGES.get(code[:2], code)


def roles_text(roles: list[str]) -> str:
    """All roles of a user in one line."""
    return ", ".join(ROLES.get(role, role) for role in roles)


def choices(words: dict[str, str]) -> list[tuple[str, str]]:
    """The words as choices of a form field."""
    return list(words.items())
