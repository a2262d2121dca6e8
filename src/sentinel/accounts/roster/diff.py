"""What a roster would change. Pure.

An empty cell never erases what is known, a field the worker set themselves is never touched, and only a
file declared the complete list makes anybody leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sentinel.accounts.roster.matching import Known, KnownWorker, Match, Matched, match_rows
from sentinel.accounts.roster.reading import Rejected, Roster, Warned
from sentinel.accounts.telephones import read_telephone

#: The fields a roster may set, besides the site.
FIELDS = ("name", "email", "telephone", "language", "department", "external_ref")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A worker as they shall be stored."""

    site_id: int
    name: str
    email: str
    telephone: str
    language: str
    department: str
    external_ref: str


@dataclass(frozen=True, slots=True)
class NewWorker:
    """Somebody nobody knew."""

    line: int
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Changed:
    """A worker who is to be written again; ``changes`` is ``{field: (before, after)}`` without the site."""

    line: int
    worker: KnownWorker
    wanted: Wanted
    changes: Mapping[str, tuple[str, str]]


@dataclass
class Diff:
    """Everything a file would do. A worker who returned may have moved and changed, one who moved may have
    changed too; each stands in one list, the first that fits."""

    new: list[NewWorker] = field(default_factory=list)
    returned: list[Changed] = field(default_factory=list)
    moved: list[Changed] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    left: list[KnownWorker] = field(default_factory=list)
    unchanged: int = 0
    conflicts: Sequence[Rejected] = ()
    rejected: Sequence[Rejected] = ()
    warnings: list[Warned] = field(default_factory=list)

    @property
    def updates(self) -> Iterator[Changed]:
        """Every worker whose row is to be written again, except those who left."""
        yield from self.returned
        yield from self.moved
        yield from self.changed

    @property
    def change_count(self) -> int:
        """How many workers would be added or written."""
        return len(self.new) + len(self.returned) + len(self.moved) + len(self.changed) + len(self.left)


def diff_roster(
    roster: Roster, known: Known, *, is_complete_list: bool = False, default_site_id: int | None = None
) -> Diff:
    """Compare a file with what is known. The same file compared after it was applied changes nothing."""
    matched = match_rows(roster, known, default_site_id=default_site_id)
    diff = Diff(conflicts=matched.conflicts, rejected=matched.rejected, warnings=list(matched.warnings))
    for match in matched.matches:
        _add(diff, match)
    # A file without one usable line is a wrong file, not an account that everybody left.
    if is_complete_list and roster.rows:
        diff.left = _absent(known.workers, matched)
    diff.warnings.sort(key=lambda warned: warned.line)
    return diff


def _absent(workers: Iterable[KnownWorker], matched: Matched) -> list[KnownWorker]:
    return [worker for worker in workers if worker.is_active and worker.id not in matched.mentioned]


def _add(diff: Diff, match: Match) -> None:
    worker, row = match.worker, match.row
    telephone = _telephone(match, diff.warnings)
    if worker is None:
        wanted = Wanted(
            site_id=match.site.id,
            name=row.name,
            email=row.email,
            telephone=telephone,
            language=row.language,
            department=row.department,
            external_ref=row.external_ref,
        )
        diff.new.append(NewWorker(row.line, wanted))
        return
    wanted = _wanted(worker, match, telephone)
    if worker.is_active and wanted.site_id == worker.site_id and _is_same(worker, wanted):
        diff.unchanged += 1
        return
    changes = {
        name: (getattr(worker, name), getattr(wanted, name))
        for name in FIELDS
        if getattr(worker, name) != getattr(wanted, name)
    }
    into = diff.changed if wanted.site_id == worker.site_id else diff.moved
    if not worker.is_active:
        into = diff.returned
    into.append(Changed(row.line, worker, wanted, changes))


def _wanted(worker: KnownWorker, match: Match, telephone: str) -> Wanted:
    row = match.row
    return Wanted(
        site_id=match.site.id,
        name=row.name,
        # The case of an address means nothing: what we have stays.
        email=worker.email if row.email.lower() == worker.email.lower() else row.email,
        telephone=worker.telephone if "telephone" in worker.chosen else telephone or worker.telephone,
        language=worker.language if "language" in worker.chosen else row.language or worker.language,
        department=row.department or worker.department,
        external_ref=row.external_ref or worker.external_ref,
    )


def _is_same(worker: KnownWorker, wanted: Wanted) -> bool:
    return (
        worker.name == wanted.name
        and worker.email == wanted.email
        and worker.telephone == wanted.telephone
        and worker.language == wanted.language
        and worker.department == wanted.department
        and worker.external_ref == wanted.external_ref
    )


def _telephone(match: Match, warnings: list[Warned]) -> str:
    """The number in E.164; one that cannot be read costs a warning, not the worker."""
    if not match.row.telephone:
        return ""
    telephone = read_telephone(match.row.telephone, match.site.country)
    if telephone.trouble:
        warnings.append(Warned(match.row.line, telephone.trouble))
    return telephone.number
