"""Files as offices produce them, made here byte by byte."""

from __future__ import annotations

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.accounts.errors import RosterRefused
from sentinel.accounts.roster.headers import SYNONYMS, Column, key_of
from sentinel.accounts.roster.reading import Roster, read_roster

PLAIN = "Name,Email,Site\nAnna Müller,anna@example.com,Kyiv\nBo Ek,bo@example.com,Lyon\n"


def facts(roster: Roster) -> list[tuple[int, str, str, str]]:
    return [(row.line, row.name, row.email, row.site) for row in roster.rows]


WHAT_PLAIN_SAYS = [(2, "Anna Müller", "anna@example.com", "Kyiv"), (3, "Bo Ek", "bo@example.com", "Lyon")]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_it_reads_every_way_an_office_writes(encoding: str, separator: str, line_end: str) -> None:
    text = PLAIN.replace(",", separator).replace("\n", line_end)
    assert facts(read_roster(text.encode(encoding))) == WHAT_PLAIN_SAYS


def test_it_says_when_the_encoding_is_a_guess() -> None:
    assert read_roster(PLAIN.encode("cp1252")).encoding_is_guess
    assert not read_roster(PLAIN.encode("utf-8")).encoding_is_guess


def test_it_reads_the_old_encoding_of_japan_by_its_header() -> None:
    roster = read_roster("氏名,メールアドレス,勤務地\n山田 太郎,taro@example.jp,東京\n".encode("cp932"))
    assert facts(roster) == [(2, "山田 太郎", "taro@example.jp", "東京")]


def test_a_named_encoding_overrules_the_search() -> None:
    content = "Name;Email\nОлена Шевченко;olena@example.com\n".encode("cp1251")
    assert read_roster(content, encoding="cp1251").rows[0].name == "Олена Шевченко"


@pytest.mark.parametrize(
    ("header", "row", "name"),
    [
        ("Vorname;Nachname;E-Mail-Adresse", "Anna;Schmidt;a@example.com", "Anna Schmidt"),
        ("Name;Vorname;E-Mail", "Schmidt;Anna;a@example.com", "Anna Schmidt"),
        ("NOM;Prénom;Courriel", "Dubois;Zoé;a@example.com", "Zoé Dubois"),
        ("Nombre;Apellidos;Correo electrónico", "Ana;García Ruiz;a@example.com", "Ana García Ruiz"),
        ("姓,名,メール", "山田,太郎,a@example.com", "山田 太郎"),
        ("e-mail ,  FULL   name", "a@example.com,Anna Schmidt", "Anna Schmidt"),
        ('"Name","First name","Last name","Mail"', '"","Anna","Schmidt","a@example.com"', "Anna Schmidt"),
    ],
)
def test_it_understands_headers_in_any_order_case_and_language(header: str, row: str, name: str) -> None:
    (read,) = read_roster(f"{header}\n{row}\n".encode()).rows
    assert (read.name, read.email) == (name, "a@example.com")


def test_no_synonym_means_two_columns() -> None:
    keys = [key_of(word) for words in SYNONYMS.values() for word in words.split(";")]
    by_column = {c: {key_of(word) for word in words.split(";")} for c, words in SYNONYMS.items()}
    assert len(set(keys)) == sum(len(found) for found in by_column.values())
    assert all(keys)


def test_it_finds_the_header_below_a_title_and_empty_lines() -> None:
    text = "Staff list 2026;;\n\nprinted on;1 May;\nName;Email;Site\nAnna;anna@example.com;Kyiv\n"
    assert facts(read_roster(text.encode())) == [(5, "Anna", "anna@example.com", "Kyiv")]


def test_it_understands_the_line_with_which_excel_names_the_separator() -> None:
    assert facts(read_roster(b"sep=;\nName;Email\nAnna;anna@example.com\n")) == [
        (3, "Anna", "anna@example.com", "")
    ]


def test_lines_are_counted_as_an_editor_shows_them() -> None:
    text = 'Name,Email,Site\n"Anna\nB.",anna@example.com,"Kyiv\n\nHarbour"\n\n\n'
    text += "Bo,nonsense,Lyon\nCy,cy@example.com,\n"
    roster = read_roster(text.encode())
    assert facts(roster) == [
        (2, "Anna B.", "anna@example.com", "Kyiv Harbour"),
        (9, "Cy", "cy@example.com", ""),
    ]
    assert [(r.line, r.reason) for r in roster.rejected] == [(8, "“nonsense” is not an e-mail address")]


def test_spaces_nobody_sees_do_not_matter() -> None:
    text = "Name,Email,Site\n\u00a0 Anna\u3000\u200bM\u00fcller ,\tanna@example.com\u00a0,\ufeffKyiv \n"
    text += " , ,\u00a0\n"
    assert facts(read_roster(text.encode())) == [(2, "Anna Müller", "anna@example.com", "Kyiv")]


def test_composed_and_decomposed_letters_are_the_same_name() -> None:
    rows = read_roster("Name,Email\nZoe\u0308,a@example.com\nZo\u00eb,b@example.com\n".encode()).rows
    assert rows[0].name == rows[1].name


def test_it_unwraps_what_excel_wraps_to_keep_zeros() -> None:
    (row,) = read_roster(b'Name,Email,ID,Phone\nAnna,a@example.com,="0042","=""030123456"""\n').rows
    assert (row.external_ref, row.telephone) == ("0042", "030123456")


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("Anna <Anna@Example.COM>", "Anna@example.com"),
        ("mailto:a@example.com", "a@example.com"),
        ("ａ＠example．com", "a@example.com"),
        ("o'brien+x@sub.example.co.uk", "o'brien+x@sub.example.co.uk"),
    ],
)
def test_it_understands_addresses_as_people_paste_them(cell: str, address: str) -> None:
    assert read_roster(f"Name,Email\nAnna,{cell}\n".encode()).rows[0].email == address


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Anna,", "the e-mail is empty"),
        (",a@example.com", "the name is empty"),
        ("Anna,a@b@example.com", "is not an e-mail address"),
        ("Anna,a@example.com; b@example.com", "is not an e-mail address"),
        ("Anna,a..b@example.com", "is not an e-mail address"),
        ("Anna,müller@example.com", "“ü”, which a mail address cannot have"),
        ("Anna," + "a" * 250 + "@example.com", "has 262 characters; 254 is the most"),
        ("=HYPERLINK(1),a@example.com", "like a spreadsheet formula"),
        ("@SUM(1),a@example.com", "like a spreadsheet formula"),
        ("A" * 201 + ",a@example.com", "has 201 characters; 200 is the most"),
        ("Schmidt, Anna,a@example.com", "has 3 cells, the line with the column names 2"),
    ],
)
def test_a_line_that_cannot_be_used_is_rejected_with_number_and_reason(line: str, reason: str) -> None:
    roster = read_roster(f"Name,Email\nBo,bo@example.com\n{line}\n".encode())
    assert [row.name for row in roster.rows] == ["Bo"]
    assert [rejected.line for rejected in roster.rejected] == [3]
    assert reason in roster.rejected[0].reason


def test_short_lines_and_empty_cells_at_the_end_are_fine() -> None:
    roster = read_roster(b"Name,Email,Site,Phone\nAnna,a@example.com\nBo,bo@example.com,Kyiv,,,,\n")
    assert [row.site for row in roster.rows] == ["", "Kyiv"]


def test_marks_for_nothing_are_nothing() -> None:
    (row,) = read_roster(b"Name,Email,Department,Phone\nAnna,a@example.com,-,n/a\n").rows
    assert (row.department, row.telephone) == ("", "")


def test_of_several_telephone_columns_the_first_that_is_filled_counts() -> None:
    (row,) = read_roster(b"Name,Email,Mobile,Phone\nAnna,a@example.com,,+49301234\n").rows
    assert row.telephone == "+49301234"


@pytest.mark.parametrize(
    ("cell", "code"), [("DE", "de"), ("de-AT", "de"), ("Español", "es"), ("日本語", "ja"), ("Allemand", "de")]
)
def test_it_understands_languages_by_code_and_by_name(cell: str, code: str) -> None:
    assert read_roster(f"Name,Email,Language\nA,a@example.com,{cell}\n".encode()).rows[0].language == code


def test_a_language_we_do_not_speak_is_a_warning() -> None:
    roster = read_roster(b"Name,Email,Language\nA,a@example.com,Klingon\n")
    assert roster.rows[0].language == ""
    assert roster.warnings[0].line == 2
    assert "Klingon" in roster.warnings[0].reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \r\n\r\n", "empty"),
        (b"PK\x03\x04rest", "workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"Name,Email\nAn\x00na,a@example.com\n", "Line 2 holds a zero byte"),
        (b"Name,City\nAnna,Kyiv\n", "no column for e-mail. Its columns are “Name”, “City”"),
        (b"Email,City\na@example.com,Kyiv\n", "no column for name (or first name and last name)"),
        (b"Anna,anna@example.com\nBo,bo@example.com\n", "looks like a worker already"),
        (b"Foo,Bar\n1,2\n", "“Foo,Bar” names none that is known"),
        (b"Name,Email,E-Mail\nA,a@example.com,b@example.com\n", "“Email” and “E-Mail” both mean e-mail"),
        (
            b'Name,Email\nBo,bo@example.com\n"Anna,a@example.com\nCy,c@example.com\n',
            "On line 3 a quotation mark",
        ),
        (b'Name,Email\n"' + b"x" * 200_000 + b'",a@example.com\n', "On line 2 a quotation mark"),
        (b"Name,Email\nBo,bo@example.com\nAnna \x81\x8d,a@example.com\n", "Line 3 is not text"),
    ],
)
def test_what_is_no_roster_is_refused_in_plain_words(content: bytes, words: str) -> None:
    with pytest.raises(RosterRefused) as refused:
        read_roster(content)
    assert words in refused.value.message


def test_a_file_beyond_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(RosterRefused, match="50 MB is the most"):
        read_roster(b"x" * (50 * 1024 * 1024 + 1))


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(RosterRefused, match="no encoding of the name"):
        read_roster(PLAIN.encode(), encoding="latin-nonsense")


def test_ignored_columns_are_named() -> None:
    roster = read_roster(b"Name,Shoe size,Email,Team,Division\nA,42,a@example.com,Night,North\n")
    assert roster.ignored == ("Shoe size", "Division")
    assert roster.rows[0].department == "Night"
    assert roster.columns[Column.DEPARTMENT] == "Team"


WORDS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "Zs", "M"), exclude_characters="=+-@"),
    max_size=30,
)
PEOPLE = st.lists(st.tuples(st.integers(0, 10**6), WORDS, WORDS), max_size=20)


@given(PEOPLE, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_whatever_a_csv_writer_writes_is_read_again(
    people: list[tuple[int, str, str]], separator: str, encoding: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerow(["Email", "Department", "Name"])
    for number, department, name in people:
        writer.writerow([f"w{number}@example.com", department, f"N {name}"])
    roster = read_roster(out.getvalue().encode(encoding))
    again = read_roster(_written(roster).encode())
    assert len(roster.rows) + len(roster.rejected) == len(people)
    assert [row.facts for row in again.rows] == [row.facts for row in roster.rows]


def _written(roster: Roster) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Name", "Email", "Department"])
    writer.writerows([row.name, row.email, row.department] for row in roster.rows)
    return out.getvalue()


@given(st.binary(max_size=400))
def test_no_bytes_break_it(content: bytes) -> None:
    with suppress(RosterRefused):
        read_roster(b"Name,Email\n" + content)
