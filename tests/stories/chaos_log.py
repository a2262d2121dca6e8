"""Who held which message and when, and so what each kill cost the messages that it hit.

The database itself writes down every lease that begins or ends, in the transaction that does it and with the
process that asked for it. What was rolled back is therefore not in the log; what the server still committed
for an engine that was dead by then is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection

from sentinel.outbox.rules import State
from tests.fakes.engine_process import NAMED

_BEGIN = """
CREATE TABLE lease_log (
    id bigint GENERATED ALWAYS AS IDENTITY, message_id bigint, process text, state text, at timestamptz);
CREATE FUNCTION log_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO lease_log (message_id, process, state, at)
    VALUES (NEW.id, current_setting('application_name'), NEW.state, clock_timestamp());
    RETURN NULL;
END $$;
CREATE TRIGGER log_lease AFTER UPDATE ON outbox_message FOR EACH ROW
    WHEN (OLD.lease_token IS DISTINCT FROM NEW.lease_token) EXECUTE FUNCTION log_lease();
"""
_END = "DROP TRIGGER log_lease ON outbox_message; DROP FUNCTION log_lease(); DROP TABLE lease_log"
_READ = "SELECT message_id, process, state, extract(epoch FROM at)::float8 FROM lease_log ORDER BY id"


@dataclass(frozen=True)
class Step:
    """A lease that began (``sending``) or ended in another state; ``at``: seconds since 1970."""

    process: str
    state: str
    at: float


@dataclass(frozen=True)
class Hit:
    """A message whose holder was killed. Instants in seconds since 1970.

    ``taken_over_at``: when somebody else had it, ``None`` for never.
    """

    message: int
    killed_at: float
    taken_over_at: float | None


@dataclass(frozen=True)
class Recoveries:
    """What the kills of one run cost. Seconds from a kill to what is named; ``missing``: never."""

    hits: int = 0
    missing: int = 0
    #: Every hit: until another engine had the message.
    taken_over: list[float] = field(default_factory=list)
    #: Every message that was hit, from its last kill: until its acceptance was written down.
    accepted: list[float] = field(default_factory=list)
    #: How many kills hit each message that was hit at all.
    kills_met: Mapping[int, int] = field(default_factory=dict)
    #: Leases that ran out although their engine lived: it was too slow.
    outlived: int = 0

    @property
    def worst(self) -> float:
        """The longest wait that a single kill can answer for."""
        return max((*self.taken_over, *self.accepted), default=0.0)

    def __str__(self) -> str:
        return (
            f"{self.hits} leases cut short; taken over p50 {percentile(self.taken_over, 0.5):.2f} "
            f"p99 {percentile(self.taken_over, 0.99):.2f} max {percentile(self.taken_over, 1.0):.2f} s; "
            f"accepted p50 {percentile(self.accepted, 0.5):.2f} p99 {percentile(self.accepted, 0.99):.2f} "
            f"max {percentile(self.accepted, 1.0):.2f} s; {self.outlived} leases outlived"
        )


def percentile(values: Sequence[float], share: float) -> float:
    """0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


@contextmanager
def leases_logged() -> Iterator[None]:
    """Meanwhile the database keeps the log."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(_END)


def recoveries(killed: Mapping[int, float]) -> Recoveries:
    """Read the log. ``killed``: process ids and when they were killed, in seconds since 1970."""
    died = {NAMED.format(pid): at for pid, at in killed.items()}
    stories: dict[int, list[Step]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        for message, process, state, at in cursor.fetchall():
            stories[message].append(Step(process=process, state=state, at=at))
    return understand(stories, died)


def understand(stories: Mapping[int, Sequence[Step]], died: Mapping[str, float]) -> Recoveries:
    """What ``stories`` (of each message, in order) say about the kills. ``died``: names and instants."""
    hits: list[Hit] = []
    outlived = 0
    for message, steps in stories.items():
        for step, after in zip(steps, (*steps[1:], None), strict=True):
            if step.state != State.SENDING.value:
                continue
            if after is not None and after.state != State.SENDING.value and after.process == step.process:
                continue  # it ended its own lease
            killed_at = died.get(step.process)
            if killed_at is not None and (after is None or after.at > killed_at):
                hits.append(Hit(message, killed_at, after.at if after else None))
            elif after is not None:
                outlived += 1
    last = {hit.message: hit for hit in sorted(hits, key=lambda hit: hit.killed_at)}
    accepted = {
        message: step.at - last[message].killed_at
        for message in last
        for step in stories[message]
        if step.state == State.ACCEPTED.value
    }
    return Recoveries(
        hits=len(hits),
        missing=sum(hit.taken_over_at is None for hit in hits),
        taken_over=[hit.taken_over_at - hit.killed_at for hit in hits if hit.taken_over_at is not None],
        accepted=list(accepted.values()),
        kills_met=Counter(hit.message for hit in hits),
        outlived=outlived,
    )
