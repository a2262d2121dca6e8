"""Who is new, changed, moved, left or in conflict; no database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.accounts.roster.diff import Changed, Diff, Wanted, diff_roster
from sentinel.accounts.roster.matching import Known, KnownSite, KnownWorker
from sentinel.accounts.roster.reading import read_roster
from sentinel.accounts.roster.summary import change_count, summarise

KYIV = KnownSite(1, "Kyiv", "UA")
LYON = KnownSite(2, "Lyon", "FR")
ANNA = KnownWorker(10, 1, "Anna", "anna@example.com", external_ref="A1")
BO = KnownWorker(11, 2, "Bo", "bo@example.com")


def diff(
    text: str, *workers: KnownWorker, complete: bool = False, taken: str = "", default: int | None = None
) -> Diff:
    known = Known([KYIV, LYON], workers, frozenset(taken.split()))
    return diff_roster(read_roster(text.encode()), known, is_complete_list=complete, default_site_id=default)


def one(changed: list[Changed]) -> Changed:
    (found,) = changed
    return found


def test_somebody_nobody_knew_is_new() -> None:
    found = diff("Name,Email,Site,Phone\nCy,cy@example.com,lyon,01 23 45 67 89\n")
    assert found.new[0].wanted == Wanted(2, "Cy", "cy@example.com", "+33123456789", "", "", "")


def test_the_same_again_is_unchanged_whatever_the_case_of_the_address() -> None:
    found = diff("Name,Email,Site,ID\nAnna,ANNA@Example.com,KYIV,a1\n", replace(ANNA, external_ref="a1"))
    assert (found.unchanged, found.change_count) == (1, 0)


def test_changes_are_told_field_by_field() -> None:
    found = diff("Name,Email,Site,Department\nAnna B.,anna@example.com,Kyiv,Night\n", ANNA)
    assert one(found.changed).changes == {"name": ("Anna", "Anna B."), "department": ("", "Night")}


def test_another_site_is_a_move() -> None:
    found = diff("Name,Email,Site\nAnna,anna@example.com,Lyon\n", ANNA)
    assert one(found.moved).wanted.site_id == 2
    assert not found.changed


def test_the_external_id_finds_a_worker_whose_address_changed() -> None:
    found = diff("Name,Email,ID\nAnna,anna.new@example.com,A1\n", ANNA)
    assert one(found.changed).changes == {"email": ("anna@example.com", "anna.new@example.com")}


def test_an_empty_cell_or_a_missing_column_never_erases() -> None:
    known = replace(ANNA, telephone="+380441234567", department="Night", language="de")
    found = diff("Name,Email,Phone,Department\nAnna,anna@example.com,,\n", known)
    assert found.change_count == 0


def test_what_the_worker_chose_is_never_overwritten() -> None:
    known = replace(
        ANNA, telephone="+380441234567", language="fr", chosen=frozenset({"language", "telephone"})
    )
    found = diff("Name,Email,Phone,Language\nAnna,anna@example.com,+33123456789,de\n", known)
    assert (found.unchanged, found.change_count) == (1, 0)


def test_somebody_who_left_and_is_listed_again_has_returned() -> None:
    found = diff("Name,Email\nAnna,anna@example.com\n", replace(ANNA, is_active=False))
    assert one(found.returned).worker.id == 10


def test_only_a_complete_list_makes_anybody_leave() -> None:
    text = "Name,Email\nAnna,anna@example.com\n"
    assert diff(text, ANNA, BO).left == []
    assert diff(text, ANNA, BO, complete=True).left == [BO]


def test_somebody_who_left_already_does_not_leave_again() -> None:
    assert (
        diff("Name,Email\nAnna,anna@example.com\n", ANNA, replace(BO, is_active=False), complete=True).left
        == []
    )


@pytest.mark.parametrize(
    "line",
    [
        "Bo,bo@example.com,Nowhere,",  # a site that does not exist
        "Bo,bo@,Lyon,",  # an address that cannot be read, but the name
        "=Bo,bo@example.com,Lyon,",  # a name that is refused
        "Bo,bo@example.com,Lyon,A1",  # the number of somebody else
    ],
)
def test_a_broken_line_in_a_complete_list_makes_nobody_leave(line: str) -> None:
    found = diff(f"Name,Email,Site,ID\nCy,cy@example.com,Kyiv,\n{line}\n", ANNA, BO, complete=True)
    assert BO not in found.left


def test_a_complete_list_without_one_usable_line_makes_nobody_leave() -> None:
    assert diff("Name,Email\nx,y\n", ANNA, BO, complete=True).left == []


def test_the_same_line_twice_counts_once() -> None:
    found = diff("Name,Email\nCy,cy@example.com\nCy,CY@example.com\n", default=1)
    assert len(found.new) == 1
    assert [(w.line, w.reason[:14]) for w in found.warnings] == [(3, "says the same ")]


def test_the_same_address_with_different_words_is_a_conflict_for_all_of_them() -> None:
    found = diff("Name,Email\nCy,cy@example.com\nCyrus,cy@example.com\nDi,di@example.com\n", default=1)
    assert [n.wanted.name for n in found.new] == ["Di"]
    assert [c.line for c in found.conflicts] == [2, 3]
    assert found.conflicts[0].reason == "lines 2, 3 have the same e-mail but differ"


def test_the_same_external_id_for_two_people_is_a_conflict() -> None:
    found = diff("Name,Email,ID\nCy,cy@example.com,7\nDi,di@example.com,7\n", default=1)
    assert not found.new
    assert "same external id" in found.conflicts[0].reason


@pytest.mark.parametrize(
    ("line", "workers", "reason"),
    [
        ("Anna,bo@example.com,A1", (ANNA, BO), "A1 belongs to Anna, but bo@example.com to Bo"),
        ("Anna,anna@example.com,Z9", (ANNA,), "is known with the external id A1, not Z9"),
        ("Cy,cy@elsewhere.example,", (), "belongs to a worker of another account"),
        ("X,x@example.com,A1", (ANNA, replace(BO, external_ref="A1")), "belongs to 2 workers here"),
    ],
)
def test_what_points_to_two_people_is_a_conflict(
    line: str, workers: tuple[KnownWorker, ...], reason: str
) -> None:
    found = diff(f"Name,Email,ID\n{line}\n", *workers, taken="cy@elsewhere.example", default=1)
    assert reason in found.conflicts[0].reason
    assert found.change_count == 0


def test_two_lines_that_mean_one_worker_are_both_conflicts() -> None:
    found = diff("Name,Email,ID\nAnna,new@example.com,A1\nAnna,anna@example.com,\n", ANNA)
    assert [c.line for c in found.conflicts] == [2, 3]
    assert found.change_count == 0


def test_a_site_that_does_not_exist_rejects_the_line_and_names_those_that_do() -> None:
    found = diff("Name,Email,Site\nCy,cy@example.com,Paris\n")
    assert found.rejected[0].reason == "the account has no site “Paris”; its sites are “Kyiv”, “Lyon”"


def test_a_line_without_a_site_stays_or_takes_the_default_or_is_rejected() -> None:
    text = "Name,Email\nAnna,anna@example.com\nCy,cy@example.com\n"
    found = diff(text, ANNA)
    assert found.unchanged == 1
    assert [r.line for r in found.rejected] == [3]
    found = diff(text, ANNA, default=2)
    assert (found.new[0].wanted.site_id, one(found.moved).wanted.site_id) == (2, 2)


def test_the_only_site_needs_no_naming() -> None:
    known = Known([KYIV], [])
    found = diff_roster(read_roster(b"Name,Email\nCy,cy@example.com\n"), known)
    assert found.new[0].wanted.site_id == 1


def test_a_number_nobody_can_read_costs_a_warning_not_the_worker() -> None:
    found = diff("Name,Email,Site,Phone\nCy,cy@example.com,Lyon,call me\n")
    assert found.new[0].wanted.telephone == ""
    assert found.warnings[0].reason == "“call me” is not a telephone number"


def test_a_summary_says_everything_in_plain_values() -> None:
    known = Known([KYIV, LYON], [ANNA, BO])
    roster = read_roster(
        b"Name,Email,Site\nAnna B.,anna@example.com,Lyon\nCy,cy@example.com,Kyiv\nDi,di,Kyiv\n"
    )
    found = diff_roster(roster, known, is_complete_list=True)
    summary = summarise(roster, found, known)
    assert summary["counts"] == {
        "new": 1,
        "returned": 0,
        "moved": 1,
        "changed": 0,
        "left": 1,
        "unchanged": 0,
        "conflicts": 0,
        "rejected": 1,
        "warnings": 0,
    }
    assert summary["examples"]["moved"][0]["changes"] == [
        {"field": "site", "before": "Kyiv", "after": "Lyon"},
        {"field": "name", "before": "Anna", "after": "Anna B."},
    ]
    assert summary["rejected"][0]["line"] == 4
    assert change_count(summary) == 3


def test_a_list_that_would_empty_the_account_is_called_into_question() -> None:
    many = [KnownWorker(n, 1, f"W{n}", f"w{n}@example.com") for n in range(20)]
    roster = read_roster(b"Name,Email\nW1,w1@example.com\n")
    known = Known([KYIV], many)
    summary = summarise(roster, diff_roster(roster, known, is_complete_list=True), known)
    assert summary["notices"] == ["19 of 20 workers would leave. Is this the complete list of all sites?"]


CELLS = st.tuples(
    st.integers(0, 8), st.sampled_from(["Kyiv", "Lyon", ""]), st.integers(0, 8), st.sampled_from("ab")
)
STORED = st.lists(
    st.tuples(st.integers(0, 8), st.integers(1, 2), st.booleans()), max_size=6, unique_by=lambda w: w[0]
)


@given(st.lists(CELLS, max_size=12), STORED, st.booleans())
def test_applying_a_file_twice_changes_nothing_the_second_time(
    lines: list[tuple[int, str, int, str]], stored: list[tuple[int, int, bool]], complete: bool
) -> None:
    text = "Name,Email,Site,ID\n" + "".join(f"N{n},{e}@example.com,{s},{i or ''}\n" for e, s, i, n in lines)
    workers = [KnownWorker(e, s, "Na", f"{e}@example.com", is_active=a) for e, s, a in stored]
    first = diff(text, *workers, complete=complete)
    after = _applied(workers, first)
    emails = [worker.email.lower() for worker in after]
    assert len(set(emails)) == len(emails)
    assert diff(text, *after, complete=complete).change_count == 0


def _applied(workers: list[KnownWorker], found: Diff) -> list[KnownWorker]:
    stored = {worker.id: worker for worker in workers}
    for update in found.updates:
        stored[update.worker.id] = replace(
            _as_known(update.worker.id, update.wanted), chosen=update.worker.chosen
        )
    for worker in found.left:
        stored[worker.id] = replace(worker, is_active=False)
    for number, new in enumerate(found.new, start=1_000):
        stored[number] = _as_known(number, new.wanted)
    return list(stored.values())


def _as_known(number: int, wanted: Wanted) -> KnownWorker:
    return KnownWorker(
        number,
        wanted.site_id,
        wanted.name,
        wanted.email,
        wanted.telephone,
        wanted.language,
        wanted.department,
        wanted.external_ref,
    )
