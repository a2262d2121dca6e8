"""The roster: upload a file, look at what it would do, then import it whole or not at all."""

from __future__ import annotations

from django import forms
from django.http import Http404, HttpResponse
from django.urls import reverse

from sentinel.accounts.models import Account, RosterImport
from sentinel.accounts.roster.summary import change_count
from sentinel.accounts.selectors import may_change_account, roster_imports_of
from sentinel.accounts.services import apply_roster, discard_roster, preview_roster
from sentinel.accounts.services.rosters import refuse_big_file
from sentinel.ui.frames import NavItem
from sentinel.web import words
from sentinel.web.access import (
    ConsoleRequest,
    account_for,
    changeable_account_for,
    done,
    go,
    refusals_on,
    screen,
    show,
)
from sentinel.web.forms.accounts import RosterForm
from sentinel.web.screens.account import account_tabs

#: group of a summary → its tab, its tone
GROUPS: dict[str, tuple[str, str]] = {
    "new": ("New", "calm"),
    "changed": ("Changed", "info"),
    "moved": ("Moved", "info"),
    "returned": ("Back again", "info"),
    "left": ("Left", "soon"),
    "conflicts": ("In conflict", "suffer"),
    "rejected": ("Rejected", "suffer"),
    "warnings": ("Warnings", "soon"),
}
SHOWN = 500


@screen(methods=("GET", "POST"))
def roster(request: ConsoleRequest, account_id: int) -> HttpResponse:
    """Whoever may see the account sees its imports; who may change it uploads (others 403)."""
    if request.method != "POST":
        found = account_for(request, account_id)
        return _upload_page(request, found, RosterForm(account=found))
    found = changeable_account_for(request, account_id)
    form = RosterForm(request.POST, request.FILES, account=found)
    if not form.is_valid():
        return _upload_page(request, found, form, status=422)
    upload, site = form.cleaned_data["file"], form.cleaned_data["default_site"]
    with refusals_on(form, "file") as refused:
        refuse_big_file(upload.size)
        kept = preview_roster(
            account_id=found.pk,
            file_name=upload.name,
            content=upload.read(),
            is_complete_list=form.cleaned_data["is_complete_list"],
            default_site_id=site.pk if site else None,
            user=request.user,
            now=request.now,
        )
    if refused:
        return _upload_page(request, found, form, status=refused.status)
    return go("roster-preview", found.pk, kept.pk)


@screen()
def roster_preview(request: ConsoleRequest, account_id: int, import_id: int) -> HttpResponse:
    """Whoever may change the account sees what the file would do, or did."""
    found = changeable_account_for(request, account_id)
    kept = _import_of(found, import_id)
    counts = kept.summary.get("counts", {})
    groups = [key for key in GROUPS if counts.get(key)]
    chosen = request.GET.get("show", "")
    if chosen not in GROUPS:
        chosen = groups[0] if groups else ""
    address = reverse("roster-preview", args=[found.pk, kept.pk])
    tabs = [
        NavItem(
            GROUPS[key][0],
            f"{address}?show={key}",
            current=key == chosen,
            count=counts[key],
            tone=GROUPS[key][1],
        )
        for key in groups
    ]
    rows = kept.summary.get(chosen) or kept.summary.get("examples", {}).get(chosen, [])
    file = kept.summary.get("file", {})
    encoding = file.get("encoding", "")
    context = {
        "account": found,
        "kept": kept,
        "counts": counts,
        "file": file | {"encoding": words.ENCODINGS.get(encoding, encoding)},
        "notices": [
            text.replace(f"as {encoding}.", f"as {words.ENCODINGS.get(encoding, encoding)}.")
            for text in kept.summary.get("notices", [])
        ],
        "changes": change_count(kept.summary) if counts else 0,
        "group_tabs": tabs,
        "group": chosen,
        "rows": rows[:SHOWN],
        # Imports of earlier versions kept names and sites only.
        "has_contacts": chosen == "new" and any("telephone" in row for row in rows),
        "hidden": max(
            0, counts.get(chosen, 0) - SHOWN if chosen in kept.summary else counts.get(chosen, 0) - len(rows)
        ),
        "is_open": kept.applied_at is None and kept.discarded_at is None,
    }
    return show(request, "web/roster/preview.html", context)


@screen(methods=("POST",))
def roster_apply(request: ConsoleRequest, account_id: int, import_id: int) -> HttpResponse:
    """Owner, deputy, manager and administrators import the file they looked at, in one transaction."""
    found = changeable_account_for(request, account_id)
    kept = _import_of(found, import_id)
    summary = apply_roster(import_id=kept.pk, user=request.user, now=request.now)
    changed = change_count(summary)
    text = f"Imported: {changed} workers written." if changed else "Imported: nothing had to change."
    return done(request, text, "roster-preview", found.pk, kept.pk)


@screen(methods=("POST",))
def roster_discard(request: ConsoleRequest, account_id: int, import_id: int) -> HttpResponse:
    """Owner, deputy, manager and administrators throw the uploaded file away."""
    found = changeable_account_for(request, account_id)
    discard_roster(import_id=_import_of(found, import_id).pk, user=request.user, now=request.now)
    return done(request, "Discarded. Nothing was imported.", "roster", found.pk)


def _import_of(account: Account, import_id: int) -> RosterImport:
    kept = roster_imports_of(account).filter(pk=import_id).first()
    if kept is None:
        raise Http404("no such roster at this account")
    return kept


def _upload_page(
    request: ConsoleRequest, found: Account, form: forms.Form, *, status: int = 200
) -> HttpResponse:
    context = {
        "account": found,
        "form": form,
        "may_change": may_change_account(request.user, found, request.now),
        "imports": roster_imports_of(found)[:20],
        "account_tabs": account_tabs(found, "roster")["account_tabs"],
    }
    return show(request, "web/roster/upload.html", context, status=status)
