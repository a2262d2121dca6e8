"""A roster file → rows and rejected lines. Pure; knows nothing of who is in the database.

Line numbers are those an editor shows: the physical line on which a record begins.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sentinel.accounts.errors import RosterRefused
from sentinel.accounts.roster.cells import (
    CellRefused,
    check_text,
    clean,
    clean_optional,
    read_email,
    read_language,
    read_name,
)
from sentinel.accounts.roster.decoding import decode
from sentinel.accounts.roster.headers import Column, Header, find_header, recognised


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One worker as the file says it. Empty means the file says nothing; ``telephone`` is as written."""

    line: int
    name: str
    email: str
    site: str = ""
    telephone: str = ""
    language: str = ""
    department: str = ""
    external_ref: str = ""

    @property
    def facts(self) -> tuple[str, ...]:
        """Everything but the line, to tell whether two lines say the same."""
        email = self.email.lower()
        return (
            self.name,
            email,
            self.site,
            self.telephone,
            self.language,
            self.department,
            self.external_ref,
        )


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that cannot be used, and why. The rest is what could be read of whom it means, so that a
    complete list with a broken line does not make that worker leave."""

    line: int
    reason: str
    email: str = ""
    external_ref: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """A line that is used, but not all of it."""

    line: int
    reason: str


@dataclass(frozen=True)
class Roster:
    """A file, read. ``columns`` maps what was understood to the headers as written."""

    rows: tuple[RosterRow, ...]
    rejected: tuple[Rejected, ...]
    warnings: tuple[Warned, ...]
    columns: Mapping[Column, str]
    ignored: tuple[str, ...]
    encoding: str
    separator: str
    encoding_is_guess: bool


def read_roster(content: bytes, *, encoding: str | None = None) -> Roster:
    """Read a whole file. Raises RosterRefused when it is no roster; single bad lines are in ``rejected``."""
    decoded = decode(content, recognised=recognised, encoding=encoding)
    text = decoded.text.removeprefix("\ufeff")
    header = find_header(text)
    rows: list[RosterRow] = []
    rejected: list[Rejected] = []
    warnings: list[Warned] = []
    for line, cells in _records(text, header):
        read = _read_record(line, cells, header, warnings)
        if isinstance(read, RosterRow):
            rows.append(read)
        else:
            rejected.append(read)
    return Roster(
        rows=tuple(rows),
        rejected=tuple(rejected),
        warnings=tuple(warnings),
        columns={
            column: " + ".join(header.names[p] for p in places) for column, places in header.places.items()
        },
        ignored=tuple(header.ignored),
        encoding=decoded.encoding,
        separator=header.separator,
        encoding_is_guess=decoded.is_guess,
    )


class _Lines:
    """The physical lines, remembering those of the record in hand."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.current: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.current.append(line)
            yield line


def _records(text: str, header: Header) -> Iterator[tuple[int, list[str]]]:
    """Every record after the header that is not empty, with the line it begins on."""
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=header.separator)
    number = -1
    while True:
        line = reader.line_num + 1
        before, lines.current = lines.current, []
        try:
            cells = next(reader)
        except StopIteration:
            _refuse_open_quote(before, header.separator, line - len(before))
            return
        except csv.Error:
            raise _open_quote(line) from None
        number += 1
        if number > header.record and any(cell and not cell.isspace() for cell in cells):
            yield line, cells


def _refuse_open_quote(last: list[str], separator: str, line: int) -> None:
    """The reader forgives a quotation mark that is never closed; it would swallow the rest of the file."""
    try:
        list(csv.reader(last, delimiter=separator, strict=True))
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise _open_quote(line) from None


def _open_quote(line: int) -> RosterRefused:
    return RosterRefused(
        "roster_open_quote",
        f"On line {line} a quotation mark opens a cell that does not end (or one cell has more than"
        f" {csv.field_size_limit():,} characters). Nothing after it can be trusted; correct that line first.",
        {"line": line},
    )


def _read_record(line: int, cells: list[str], header: Header, warnings: list[Warned]) -> RosterRow | Rejected:
    def cell(column: Column) -> str:
        for place in header.places.get(column, ()):
            if place < len(cells) and (text := clean_optional(cells[place])):
                return text
        return ""

    email, reference, name = cell(Column.EMAIL), cell(Column.EXTERNAL_REF), _name(header, cell)
    try:
        _refuse_extra_cells(cells, header)
        row = RosterRow(
            line=line,
            email=read_email(email),
            name=read_name(name),
            site=cell(Column.SITE),
            telephone=cell(Column.TELEPHONE)[:100],
            language=_language(line, cell(Column.LANGUAGE), warnings),
            department=check_text(cell(Column.DEPARTMENT), "department"),
            external_ref=check_text(reference, "external id"),
        )
    except CellRefused as refused:
        return Rejected(line, str(refused), email=email[:254], external_ref=reference[:80], name=name[:200])
    return row


def _name(header: Header, cell: Callable[[Column], str]) -> str:
    """The full name, put together when the file has it in two columns."""
    whole = cell(Column.NAME)
    if whole:
        return whole
    parts = [cell(Column.FIRST_NAME), cell(Column.LAST_NAME)]
    if header.family_name_first:
        parts.reverse()
    return " ".join(part for part in parts if part)


def _language(line: int, text: str, warnings: list[Warned]) -> str:
    try:
        return read_language(text)
    except CellRefused as refused:
        warnings.append(Warned(line, f"{refused}; the worker gets the site's"))
        return ""


def _refuse_extra_cells(cells: list[str], header: Header) -> None:
    """A cell too many is a separator inside a value: everything after it stands in the wrong column."""
    if len(cells) > len(header.names) and any(clean(extra) for extra in cells[len(header.names) :]):
        raise CellRefused(
            f"the line has {len(cells)} cells, the line with the column names {len(header.names)};"
            " is there a separator inside a value without quotation marks?"
        )
