"""A diff in plain JSON, for the preview on the screen, the command line and the timeline. Pure.

``file``: encoding, separator, columns, ignored columns, rows. ``counts``: new, returned, moved, changed,
left, unchanged, conflicts, rejected, warnings. ``examples``: the first 200 of each group, changes field by
field. ``conflicts`` and ``rejected``: every one, ``{"line", "reason", "email", "name"}``. ``warnings``: the
first 200, ``{"line", "reason"}``. ``notices``: sentences about the file as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from sentinel.accounts.roster.diff import Changed, Diff
from sentinel.accounts.roster.matching import Known
from sentinel.accounts.roster.reading import Rejected, Roster

MOST_EXAMPLES = 200
# A complete list that loses more than this share of (more than a few) workers is rather the wrong file.
_MANY_LEFT, _MANY_LEFT_SHARE = 5, 0.3

_SEPARATOR_WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def summarise(roster: Roster, diff: Diff, known: Known) -> dict[str, Any]:
    """The summary described above."""
    sites = {site.id: site.name for site in known.sites}
    return {
        "file": {
            "encoding": roster.encoding,
            "separator": _SEPARATOR_WORDS.get(roster.separator, roster.separator),
            "columns": {column.value: header for column, header in roster.columns.items()},
            "ignored": list(roster.ignored),
            "rows": len(roster.rows) + len(roster.rejected),
        },
        "counts": counts(diff),
        "examples": _examples(diff, sites),
        "conflicts": [_line(refused) for refused in diff.conflicts],
        "rejected": [_line(refused) for refused in diff.rejected],
        "warnings": [{"line": w.line, "reason": w.reason} for w in diff.warnings[:MOST_EXAMPLES]],
        "notices": _notices(roster, diff, known),
    }


def counts(diff: Diff) -> dict[str, int]:
    """How many of each group."""
    return {
        "new": len(diff.new),
        "returned": len(diff.returned),
        "moved": len(diff.moved),
        "changed": len(diff.changed),
        "left": len(diff.left),
        "unchanged": diff.unchanged,
        "conflicts": len(diff.conflicts),
        "rejected": len(diff.rejected),
        "warnings": len(diff.warnings),
    }


def change_count(summary: Mapping[str, Any]) -> int:
    """How many workers a summarised import adds or writes."""
    return sum(summary["counts"][group] for group in ("new", "returned", "moved", "changed", "left"))


def _examples(diff: Diff, sites: Mapping[int, str]) -> dict[str, list[dict[str, Any]]]:
    return {
        "new": [
            {
                "line": n.line,
                "name": n.wanted.name,
                "email": n.wanted.email,
                "site": sites[n.wanted.site_id],
                "telephone": n.wanted.telephone,
                "language": n.wanted.language,
            }
            for n in diff.new[:MOST_EXAMPLES]
        ],
        "returned": [_change(c, sites) for c in diff.returned[:MOST_EXAMPLES]],
        "moved": [_change(c, sites) for c in diff.moved[:MOST_EXAMPLES]],
        "changed": [_change(c, sites) for c in diff.changed[:MOST_EXAMPLES]],
        "left": [
            {"worker_id": w.id, "name": w.name, "email": w.email, "site": sites.get(w.site_id, "")}
            for w in islice(diff.left, MOST_EXAMPLES)
        ],
    }


def _change(changed: Changed, sites: Mapping[int, str]) -> dict[str, Any]:
    changes = [{"field": name, "before": b, "after": a} for name, (b, a) in changed.changes.items()]
    before, after = changed.worker.site_id, changed.wanted.site_id
    if before != after:
        changes.insert(0, {"field": "site", "before": sites.get(before, ""), "after": sites[after]})
    return {
        "line": changed.line,
        "worker_id": changed.worker.id,
        "name": changed.wanted.name,
        "email": changed.wanted.email,
        "changes": changes,
    }


def _line(refused: Rejected) -> dict[str, Any]:
    return {"line": refused.line, "reason": refused.reason, "email": refused.email, "name": refused.name}


def _notices(roster: Roster, diff: Diff, known: Known) -> Sequence[str]:
    found = []
    if roster.encoding_is_guess:
        found.append(
            f"The file is not Unicode; it was read as {roster.encoding}. Check a name with an accent first."
        )
    active = sum(1 for worker in known.workers if worker.is_active)
    if len(diff.left) > _MANY_LEFT and len(diff.left) > active * _MANY_LEFT_SHARE:
        found.append(
            f"{len(diff.left)} of {active} workers would leave. Is this the complete list of all sites?"
        )
    if not roster.rows:
        found.append("No line of the file can be used.")
    return found
