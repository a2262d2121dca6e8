"""Whom each row of a roster means, and at which site. Pure.

A row means the worker with its external id, else the one with its address. Whatever points to two people,
to another account, or says two things about one person is a conflict and changes nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from sentinel.accounts.roster.reading import Rejected, Roster, RosterRow, Warned


@dataclass(frozen=True, slots=True)
class KnownSite:
    """A site of the account; ``country`` (ISO 3166, may be empty) says how numbers are dialled there."""

    id: int
    name: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class KnownWorker:
    """A worker of the account as stored. ``chosen`` are fields the worker set themselves; ``version`` changes
    with every write to the row."""

    id: int
    site_id: int
    name: str
    email: str
    telephone: str = ""
    language: str = ""
    department: str = ""
    external_ref: str = ""
    is_active: bool = True
    chosen: frozenset[str] = frozenset()
    version: str = ""


@dataclass(frozen=True)
class Known:
    """What the database knows: the account's sites and workers (also those who left), and which of the
    file's addresses (lower case) belong to workers of other accounts."""

    sites: Sequence[KnownSite]
    workers: Sequence[KnownWorker]
    taken_emails: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Match:
    """A row, the worker it means (None: somebody new) and the site."""

    row: RosterRow
    worker: KnownWorker | None
    site: KnownSite


@dataclass
class Matched:
    """All rows, sorted out."""

    matches: list[Match] = field(default_factory=list)
    conflicts: list[Rejected] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    #: Ids of workers that the file means, even in a line that cannot be used.
    mentioned: set[int] = field(default_factory=set)


def match_rows(roster: Roster, known: Known, *, default_site_id: int | None = None) -> Matched:
    """Sort all rows of a file out. ``default_site_id``: where workers of lines without a site are."""
    book, sites = _Book(known), _Sites(known.sites, default_site_id)
    result = Matched(rejected=list(roster.rejected), warnings=list(roster.warnings))
    claims: dict[int, list[Match]] = defaultdict(list)
    for row in _without_contradictions(roster.rows, result):
        worker = book.find(row)
        if isinstance(worker, str):
            result.conflicts.append(_refused(row, worker))
            continue
        site = sites.of(row, worker)
        if isinstance(site, str):
            result.rejected.append(_refused(row, site))
        elif worker is None:
            result.matches.append(Match(row, None, site))
        else:
            claims[worker.id].append(Match(row, worker, site))
    for claim in claims.values():
        if len(claim) == 1:
            result.matches.append(claim[0])
        else:
            lines = ", ".join(str(match.row.line) for match in claim)
            reason = f"lines {lines} mean the same worker, one by e-mail and one by external id"
            result.conflicts.extend(_refused(match.row, reason) for match in claim)
    result.mentioned = set(claims) | book.meant_by([*result.rejected, *result.conflicts])
    for found in (result.rejected, result.conflicts, result.warnings):
        found.sort(key=attrgetter("line"))
    result.matches.sort(key=lambda match: match.row.line)
    return result


class _Book:
    """The account's workers by address and by external id."""

    def __init__(self, known: Known) -> None:
        self._by_email = {w.email.lower(): w for w in known.workers}
        self._taken = known.taken_emails
        self._by_reference: dict[str, list[KnownWorker]] = defaultdict(list)
        self._by_name: dict[str, list[KnownWorker]] = defaultdict(list)
        for worker in known.workers:
            self._by_name[worker.name.casefold()].append(worker)
            if worker.external_ref:
                self._by_reference[worker.external_ref.casefold()].append(worker)

    def find(self, row: RosterRow) -> KnownWorker | str | None:
        """The worker, None for somebody new, or why nobody can tell."""
        email = row.email.lower()
        by_email = self._by_email.get(email)
        by_reference = self._with_reference(row.external_ref)
        if len(by_reference) > 1:
            return f"the external id {row.external_ref} belongs to {len(by_reference)} workers here"
        if email in self._taken:
            return f"{row.email} belongs to a worker of another account"
        if by_reference and by_email is not None and by_reference[0].id != by_email.id:
            return (
                f"the external id {row.external_ref} belongs to {by_reference[0].name},"
                f" but {row.email} to {by_email.name}"
            )
        if by_reference:
            return by_reference[0]
        if by_email is not None and row.external_ref and by_email.external_ref:
            return (
                f"{row.email} is known with the external id {by_email.external_ref}, not {row.external_ref}"
            )
        return by_email

    def meant_by(self, refused: Iterable[Rejected]) -> set[int]:
        """Whom lines that cannot be used may mean: by address, id, or else by name."""
        found: set[int] = set()
        for line in refused:
            by_email = self._by_email.get(line.email.lower())
            means = [*([by_email] if by_email else []), *self._with_reference(line.external_ref)]
            found.update(w.id for w in means or self._by_name.get(line.name.casefold(), []))
        return found

    def _with_reference(self, reference: str) -> list[KnownWorker]:
        return self._by_reference.get(reference.casefold(), []) if reference else []


class _Sites:
    """The account's sites by name, as people write names."""

    def __init__(self, sites: Sequence[KnownSite], default_site_id: int | None) -> None:
        self._by_name = {site.name.casefold(): site for site in sites}
        self._by_id = {site.id: site for site in sites}
        self._default = self._by_id.get(default_site_id) if default_site_id is not None else None
        self._only = sites[0] if len(sites) == 1 else None

    def of(self, row: RosterRow, worker: KnownWorker | None) -> KnownSite | str:
        """The site of a row, or why there is none. A line without one leaves a worker where they are."""
        if row.site:
            found = self._by_name.get(row.site.casefold())
            return found or f"the account has no site “{row.site}”; its sites are {self._names()}"
        known = self._by_id.get(worker.site_id) if worker is not None else None
        return (
            self._default
            or known
            or self._only
            or f"the line names no site; the account's sites are {self._names()}"
        )

    def _names(self) -> str:
        names = sorted(site.name for site in self._by_id.values())
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        return (", ".join(f"“{name}”" for name in names[:8]) or "not entered yet") + more


def _without_contradictions(rows: Sequence[RosterRow], result: Matched) -> list[RosterRow]:
    """Drop lines that say the same again, and put those that contradict each other aside."""
    conflicting: dict[int, str] = {}
    repeated: set[int] = set()
    for key, what in _KEYS:
        for group in _groups(rows, key):
            first = group[0]
            lines = ", ".join(str(row.line) for row in group[:6])
            if all(row.facts == first.facts for row in group[1:]):
                repeated.update(row.line for row in group[1:])
            else:
                conflicting.update(
                    {row.line: f"lines {lines} have the same {what} but differ" for row in group}
                )
    repeated -= conflicting.keys()
    result.warnings.extend(
        Warned(line, "says the same as a line before it; counted once") for line in sorted(repeated)
    )
    result.conflicts.extend(_refused(row, conflicting[row.line]) for row in rows if row.line in conflicting)
    return [row for row in rows if row.line not in conflicting and row.line not in repeated]


_KEYS: tuple[tuple[Callable[[RosterRow], str], str], ...] = (
    (lambda row: row.email.lower(), "e-mail"),
    (lambda row: row.external_ref.casefold(), "external id"),
)


def _groups(rows: Sequence[RosterRow], key: Callable[[RosterRow], str]) -> Iterable[list[RosterRow]]:
    grouped: Mapping[str, list[RosterRow]] = defaultdict(list)
    for row in rows:
        if value := key(row):
            grouped[value].append(row)
    return (group for group in grouped.values() if len(group) > 1)


def _refused(row: RosterRow, reason: str) -> Rejected:
    return Rejected(row.line, reason, email=row.email, external_ref=row.external_ref, name=row.name)
