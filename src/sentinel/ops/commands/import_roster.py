"""`sentinel import`: the workers of an account from an office's CSV file."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from sentinel.accounts.models import Account, Site
from sentinel.accounts.roster.decoding import MOST_BYTES
from sentinel.accounts.roster.summary import change_count
from sentinel.accounts.services import compare_roster, discard_roster, preview_roster
from sentinel.kernel import clock
from sentinel.kernel.errors import Refused
from sentinel.ops.database import database_running
from sentinel.workflows.import_roster import import_roster

REFUSED = 1
SOME_LEFT_OUT = 3
_EXAMPLES = 5
_GROUPS = {
    "new": "new",
    "returned": "returned",
    "moved": "moved to another site",
    "changed": "changed",
    "left": "left",
    "unchanged": "unchanged",
    "conflicts": "in conflict, left out",
    "rejected": "rejected lines",
    "warnings": "warnings",
}


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True))
@click.option(
    "--account", "account_key", required=True, metavar="NAME_OR_ID", help="Whose workers these are."
)
@click.option("--complete", is_flag=True, help="The file lists all workers: whoever is missing has left.")
@click.option("--site", "site_name", metavar="NAME", help="Where workers of lines without a site work.")
@click.option(
    "--encoding", metavar="NAME", help="How the file is written, if Sentinel guesses wrong: cp1251."
)
@click.option("--apply", "is_sure", is_flag=True, help="Import without asking.")
@click.option("--dry-run", is_flag=True, help="Only show what would change; write nothing.")
def command(
    file: str,
    account_key: str,
    complete: bool,
    site_name: str | None,
    encoding: str | None,
    is_sure: bool,
    dry_run: bool,
) -> None:
    """Import the workers in FILE, a CSV file with at least a name and an e-mail column ("-": standard input).

    Shows what is new, changed, moved, left and in conflict, asks, and then imports everything in one
    transaction. Importing the same file again changes nothing. Workers' own choices are never touched.

    Ends with 0 when all lines are imported, 3 when lines were rejected or in conflict, 1 when refused.
    """
    if is_sure and dry_run:
        raise click.UsageError("--apply and --dry-run exclude each other.")
    if file == "-" and not (is_sure or dry_run):
        raise click.UsageError("With standard input nobody can be asked: add --apply or --dry-run.")
    with click.open_file(file, "rb") as opened:
        # One byte more than allowed is enough to be refused, however long the file is.
        content = opened.read(MOST_BYTES + 1)
    name = "standard input" if file == "-" else file
    with database_running(), _plain_refusals():
        account = _account(account_key)
        options: dict[str, Any] = {
            "account_id": account.pk,
            "content": content,
            "is_complete_list": complete,
            "default_site_id": _site_id(account, site_name),
            "encoding": encoding,
            "user": None,
            "now": clock.now(),
        }
        click.echo(f"{name} for {account.name}")
        summary = _look(options) if dry_run else _import(name, options, is_sure)
    sys.exit(SOME_LEFT_OUT if summary["conflicts"] or summary["rejected"] else 0)


def _look(options: dict[str, Any]) -> dict[str, Any]:
    summary = compare_roster(**options)
    _show(summary)
    return summary


def _import(name: str, options: dict[str, Any], is_sure: bool) -> dict[str, Any]:
    row = preview_roster(file_name=name, **options)
    try:
        _show(row.summary)
        count = change_count(row.summary)
        if count and not is_sure:
            click.confirm(f"Import {count} changes?", abort=True, err=True)
    except BaseException:
        discard_roster(import_id=row.pk, user=None, now=clock.now())
        raise
    imported = import_roster(import_id=row.pk, user=None, now=clock.now(), progress=_Progress())
    click.echo(f"Imported: {change_count(imported.summary)} changes.")
    if imported.open_problem_ids:
        numbers = ", ".join(map(str, imported.open_problem_ids[:20]))
        click.echo(f"{len(imported.open_problem_ids)} open problems belong to workers who left: {numbers}")
    return imported.summary


@contextmanager
def _plain_refusals() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        click.echo(f"sentinel import: {refused.message}", err=True)
        sys.exit(REFUSED)


def _account(key: str) -> Account:
    found = Account.objects.filter(name__iexact=key).first()
    if found is None and key.isdecimal():
        found = Account.objects.filter(pk=int(key)).first()
    if found is None:
        known = ", ".join(Account.objects.values_list("name", flat=True)[:20]) or "none yet"
        raise Refused("account_unknown", f"There is no account “{key}”. The accounts are: {known}.")
    return found


def _site_id(account: Account, name: str | None) -> int | None:
    if name is None:
        return None
    found = Site.objects.filter(account=account, name__iexact=name).first()
    if found is None:
        known = ", ".join(account.sites.values_list("name", flat=True)[:20]) or "none yet"
        raise Refused("site_unknown", f"{account.name} has no site “{name}”. Its sites are: {known}.")
    return found.pk


def _show(summary: Mapping[str, Any]) -> None:
    file = summary["file"]
    columns = ", ".join(f"{column} from “{header}”" for column, header in file["columns"].items())
    click.echo(f"{file['rows']} lines in {file['encoding']}, separated by {file['separator']}: {columns}")
    if file["ignored"]:
        click.echo(f"Ignored columns: {', '.join(file['ignored'])}")
    for notice in summary["notices"]:
        click.echo(f"Note: {notice}")
    click.echo()
    for group, words in _GROUPS.items():
        if count := summary["counts"][group]:
            click.echo(f"{count:>8,}  {words}")
            _show_examples(summary["examples"].get(group, ()), count)
    if not change_count(summary):
        click.echo("       0  changes")
    for group in ("conflicts", "rejected", "warnings"):
        for line in summary[group]:
            click.echo(f"line {line['line']}: {line['reason']}")


def _show_examples(examples: list[dict[str, Any]], count: int) -> None:
    for example in examples[:_EXAMPLES]:
        changes = (
            f"{c['field']}: {c['before'] or '(empty)'} → {c['after']}" for c in example.get("changes", ())
        )
        what = "; ".join(changes) or example["site"]
        click.echo(f"          {example['name']} <{example['email']}>  {what}")
    if examples and count > _EXAMPLES:
        click.echo(f"          … and {count - _EXAMPLES:,} more")


class _Progress:
    """One line that grows on a terminal; one line per step in a log."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._last = ""

    def __call__(self, doing: str, done: int, total: int) -> None:
        share = f" {done:,} of {total:,}" if total > 1 else ""
        if self._on_terminal:
            click.echo(f"\r\x1b[K{doing}{share}", err=True, nl=doing == "recording" and done == total)
        elif doing != self._last:
            click.echo(f"{doing}{share and f' {total:,}'}", err=True)
        self._last = doing
