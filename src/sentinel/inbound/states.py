"""The states of an incoming mail, and what it can have set in motion. Pure."""

from __future__ import annotations

from enum import StrEnum


class IncomingState(StrEnum):
    """Where an incoming mail stands."""

    WAITING = "waiting"  # kept; not read yet
    DONE = "done"  # read, and what it says is done
    PERSON = "person"  # nobody could place it, or it could not be read: a person must look


class ThreadKey(StrEnum):
    """By what a mail was recognised, the strongest first. The last two prove nothing."""

    TOKEN = "token"  # noqa: S105  # it came to an address of ours that names what it answers
    VERP = "verp"  # it came to the envelope address of a mail of ours
    REFERENCES = "references"  # it names the Message-ID of a mail of ours
    LINK = "link"  # it quotes a signed link of ours
    SENDER = "sender"  # only its From address is known
    NONE = "none"


class Outcome(StrEnum):
    """What a mail set in motion; stored as its ``outcome``."""

    ANSWERED_HAPPY = "answered_happy"
    COMMENTED = "commented"  # a happy answer with something to say; the owner was told
    PROBLEM_OPENED = "problem_opened"
    WORDS_JOINED = "words_joined"
    CONFIRMED = "confirmed"
    REOPENED = "reopened"  # the worker's "not yet" to a proposal
    CAME_BACK = "came_back"  # a closed problem is open again
    ASKED_ONCE_MORE = "asked_once_more"  # neither yes nor no: the words joined, the worker is asked plainly
    THANKED = "thanked"
    UNSUBSCRIBED = "unsubscribed"
    PROVISIONAL = "provisional"  # nothing proves that the worker wrote it
    OWNER_TOLD = "owner_told"
    NOTED = "noted"  # a user's reply became a note
    AWAY = "away"
    AUTOMATIC = "automatic"
    BOUNCED_HARD = "bounced_hard"
    BOUNCED_SOFT = "bounced_soft"
    BLOCKED = "blocked"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    COMPLAINED = "complained"
    LOOP = "loop"
    TWICE = "twice"  # the same mail came before, through another door
    EMPTY = "empty"  # nothing new is written in it
    UNPLACED = "unplaced"
    UNREADABLE = "unreadable"
    REFUSED = "refused"  # what it asks for is not possible
    FAILED = "failed"  # reading it failed again and again
    # What a person did with a mail that waited for one.
    ATTACHED = "attached"
    OPENED_BY_PERSON = "opened_by_person"
    ANSWERED_OTHERWISE = "answered_otherwise"
