"""Which column of a roster means what: the line with the names, the separator, the synonyms. Pure."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from sentinel.accounts.errors import RosterRefused

SEPARATORS = (",", ";", "\t", "|")
# Above the names some offices write a title and the date of the list.
_LINES_TO_LOOK_AT = 10
_LOOK_AHEAD = 65_536


class Column(StrEnum):
    """What a column can be; the value is the word for people."""

    NAME = "name"
    FIRST_NAME = "first name"
    LAST_NAME = "last name"
    EMAIL = "e-mail"
    SITE = "site"
    TELEPHONE = "telephone"
    LANGUAGE = "language"
    DEPARTMENT = "department"
    EXTERNAL_REF = "external id"


# Written as people read them; compared without case, accents, spaces and punctuation.
SYNONYMS: Mapping[Column, str] = {
    Column.NAME: (
        "name; full name; display name; worker; employee; employee name; contact; mitarbeiter;"
        " mitarbeitername; vollständiger name; vor- und nachname; nom; nom complet; nom et prénom;"
        " collaborateur; nombre; nombre completo; nombre y apellidos; empleado;"
        " 氏名; 名前; お名前; 社員名; 従業員名"
    ),
    Column.FIRST_NAME: ("first name; firstname; given name; forename; vorname; prénom; nombre de pila; 名"),
    Column.LAST_NAME: (
        "last name; surname; family name; nachname; familienname; zuname; nom de famille; apellido;"
        " apellidos; 姓; 苗字"
    ),
    Column.EMAIL: (
        "email; e-mail; mail; email address; mail address; work email; e-mail-adresse; mailadresse;"
        " emailadresse; courriel; adresse e-mail; adresse mail; adresse électronique; mél; correo;"
        " correo electrónico; dirección de correo; メール; メールアドレス; Eメール; 電子メール"
    ),
    Column.SITE: (
        "site; location; place; office; branch; plant; work location; site name; standort;"
        " niederlassung; werk; filiale; betriebsstätte; lieu; lieu de travail; établissement; agence;"
        " sede; centro; centro de trabajo; ubicación; oficina; 拠点; 事業所; 勤務地; 事業所名; 拠点名"
    ),
    Column.TELEPHONE: (
        "telephone; phone; phone number; telephone number; tel; tel.; mobile; mobile phone; cell;"
        " cell phone; work phone; telefon; telefonnummer; rufnummer; handy; mobil; mobiltelefon;"
        " durchwahl; téléphone; numéro de téléphone; portable; mobile professionnel; teléfono; número"
        " de teléfono; móvil; celular; 電話; 電話番号; 携帯; 携帯電話; 携帯番号"
    ),
    Column.LANGUAGE: ("language; lang; preferred language; sprache; langue; idioma; lengua; 言語; 使用言語"),
    Column.DEPARTMENT: (
        "department; dept; dept.; team; division; unit; abteilung; bereich; service; département;"
        " departamento; área; sección; 部署; 部門; 所属"
    ),
    Column.EXTERNAL_REF: (
        "external id; external ref; externalid; id; employee id; employee number; personnel number;"
        " staff number; staff id; worker id; personalnummer; personal-nr.; mitarbeiternummer;"
        " mitarbeiter-nr.; matricule; identifiant; numéro d'employé; número de empleado; matrícula; id"
        " de empleado; 社員番号; 従業員番号; 社員ID"
    ),
}


def key_of(header: str) -> str:
    """The header as it is compared: "E-Mail-Adresse " and "emailadresse" are the same."""
    plain = unicodedata.normalize("NFKD", header.casefold())
    return "".join(c for c in plain if c.isalnum())


_MEANING = {key_of(word): column for column, words in SYNONYMS.items() for word in words.split(";")}


@dataclass(frozen=True)
class Header:
    """The line that names the columns: ``record`` counts records from 0; ``places`` says at which positions
    a column stands (several only for telephone); ``names`` are the headers as written."""

    record: int
    separator: str
    names: tuple[str, ...]
    places: Mapping[Column, tuple[int, ...]]

    @property
    def ignored(self) -> list[str]:
        """Headers of columns that mean nothing to us."""
        used = {place for places in self.places.values() for place in places}
        return [name for place, name in enumerate(self.names) if place not in used and name]

    @property
    def family_name_first(self) -> bool:
        """Whether names are put together in the order of Japan: the family name's header is in its script."""
        places = self.places.get(Column.LAST_NAME, ())
        return any(c > "\u3000" for place in places for c in self.names[place])

    @property
    def missing(self) -> list[str]:
        """What no roster can do without and this one has not."""
        wanted = [] if Column.EMAIL in self.places else ["e-mail"]
        has_name = Column.NAME in self.places or {Column.FIRST_NAME, Column.LAST_NAME} <= set(self.places)
        return wanted if has_name else [*wanted, "name (or first name and last name)"]


def recognised(head: str) -> int:
    """How many columns the best reading of the first lines finds."""
    found = _best(head)
    return len(found.places) if found else 0


def find_header(text: str) -> Header:
    """The line that names the columns, within the first records, and the separator that shows it best.

    Raises RosterRefused naming what was found and what is missing, or columns that mean the same.
    """
    found = _best(text[:_LOOK_AHEAD])
    if found is None or found.missing:
        raise RosterRefused("roster_header", _complaint(found, text[:_LOOK_AHEAD]))
    for column, places in found.places.items():
        if len(places) > 1 and column is not Column.TELEPHONE:
            names = " and ".join(f"“{found.names[place]}”" for place in places)
            raise RosterRefused(
                "roster_header", f"The columns {names} both mean {column.value}; keep one of them."
            )
    return found


def _best(head: str) -> Header | None:
    candidates = [
        _interpret(number, separator, cells)
        for separator in SEPARATORS
        for number, cells in enumerate(_first_records(head, separator))
    ]
    candidates = [candidate for candidate in candidates if candidate.places]
    # Complete beats incomplete, then more columns, then the earlier line.
    return max(candidates, key=lambda c: (not c.missing, len(c.places), -c.record), default=None)


def _first_records(head: str, separator: str) -> list[list[str]]:
    found: list[list[str]] = []
    try:
        for cells in islice(
            csv.reader(io.StringIO(head, newline=""), delimiter=separator), _LINES_TO_LOOK_AT
        ):
            found.append(cells)  # noqa: PERF402  # what was read before an error counts
    except csv.Error:
        pass
    return found


def _interpret(number: int, separator: str, cells: Sequence[str]) -> Header:
    names = tuple(" ".join(cell.replace("\ufeff", "").split()) for cell in cells)
    places: dict[Column, list[int]] = {}
    for place, name in enumerate(names):
        column = _MEANING.get(key_of(name))
        if column is not None:
            places.setdefault(column, []).append(place)
    _settle_names(places)
    # "Division" and "Team" are both fine; the first one is shown, the other is listed as ignored.
    del places.get(Column.DEPARTMENT, [])[1:]
    return Header(number, separator, names, {column: tuple(found) for column, found in places.items()})


def _settle_names(places: dict[Column, list[int]]) -> None:
    """ "Name" beside "Vorname" is the family name; "Nombre" beside "Apellidos" is the given name."""
    if Column.NAME not in places:
        return
    if Column.FIRST_NAME in places and Column.LAST_NAME not in places:
        places[Column.LAST_NAME] = places.pop(Column.NAME)
    elif Column.LAST_NAME in places and Column.FIRST_NAME not in places:
        places[Column.FIRST_NAME] = places.pop(Column.NAME)


def _complaint(found: Header | None, head: str) -> str:
    if found is None:
        lines = [line for line in head.splitlines() if line.strip()]
        first = lines[0].strip()[:120] if lines else ""
        hint = (
            " It looks like a worker already: add a line with the names of the columns above it."
            if "@" in first
            else ""
        )
        return (
            f"The first line must name the columns; “{first}” names none that is known.{hint}"
            " Needed are e-mail and name; site, telephone, language, department and external id are welcome."
        )
    named = ", ".join(f"“{name}”" for name in found.names if name)[:400]
    return f"The file has no column for {' and '.join(found.missing)}. Its columns are {named}."
