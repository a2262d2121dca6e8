"""The back office for customers, for administrators only. Daily work is in the console.

Permissions can be recorded and withdrawn, never edited; workers can be looked at here and changed in the
console, where every change is a service with its entry in the timeline.

The admin classes of Django know their model only in the stubs, hence the ignores.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from sentinel.accounts.models import Account, Permission, RosterImport, Site, Worker
from sentinel.accounts.services import withdraw_permission
from sentinel.kernel import clock
from sentinel.people.models import User
from sentinel.people.reach import reaches, without_way
from sentinel.people.services import actor_of
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb


class _Kept:
    """Nothing of a customer is deleted here: history points to it, and a permission for sites that are gone
    would become a permission for all."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class _ReadOnly(_Kept):
    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class AccountForm(ModelForm):  # type: ignore[type-arg]
    """An account; nobody comes onto its ladder whom no notice reaches."""

    def clean(self) -> dict[str, Any]:
        """Judge only who is new: whoever stands there already must not keep the rest from being changed."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("owner", "deputy", "manager", "focus_executive"):
            user = data.get(name)
            if name in self.changed_data and user is not None and without_way([user]):
                why = reaches([user], now=clock.now())[user.pk].why_never
                self.add_error(name, f"{why} Let them add or repair a way first, on their profile.")
        return data


@admin.register(Account)
class Accounts(_Kept, admin.ModelAdmin):  # type: ignore[type-arg]
    """Customers and who answers for them."""

    form = AccountForm
    list_display = ("name", "tier", "owner", "deputy", "manager", "focus_executive", "is_active")
    list_filter = ("tier", "is_active")
    search_fields = ("name", "external_ref")
    autocomplete_fields = ("owner", "deputy", "manager", "focus_executive")
    exclude = ("created_at",)

    def save_model(self, request: HttpRequest, obj: Account, form: ModelForm[Account], change: bool) -> None:
        if not change:
            obj.created_at = clock.now()
        super().save_model(request, obj, form, change)
        verb = Verb.ACCOUNT_CHANGED if change else Verb.ACCOUNT_CREATED
        _record(request, verb, About(account_id=obj.pk), form)


@admin.register(Site)
class Sites(_Kept, admin.ModelAdmin):  # type: ignore[type-arg]
    """Places of customers."""

    list_display = ("name", "account", "zone", "calendar", "language")
    list_select_related = ("account", "calendar")
    search_fields = ("name", "account__name")
    autocomplete_fields = ("account", "calendar")

    def save_model(self, request: HttpRequest, obj: Site, form: ModelForm[Site], change: bool) -> None:
        super().save_model(request, obj, form, change)
        verb = Verb.SITE_CHANGED if change else Verb.SITE_ADDED
        _record(request, verb, About(account_id=obj.account_id, site_id=obj.pk), form)


@admin.register(Permission)
class Permissions(_Kept, admin.ModelAdmin):  # type: ignore[type-arg]
    """Consents of customers: record one, or withdraw one; a recorded one is never edited."""

    list_display = ("account", "given_by", "given_on", "valid_until", "withdrawn_at")
    list_select_related = ("account",)
    autocomplete_fields = ("account", "sites")
    fields = ("account", "sites", "given_by", "given_on", "valid_until", "evidence")
    actions = ("withdraw",)

    def has_change_permission(self, request: HttpRequest, obj: Permission | None = None) -> bool:
        return obj is None  # the list and its action, not a row

    def save_model(
        self, request: HttpRequest, obj: Permission, form: ModelForm[Permission], change: bool
    ) -> None:
        obj.recorded_by = _editor(request)
        obj.recorded_at = clock.now()
        super().save_model(request, obj, form, change)
        _record(request, Verb.PERMISSION_GRANTED, About(account_id=obj.account_id), form)

    @admin.action(description="Withdraw: nothing is sent because of it any more")
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Permission]) -> None:
        """Withdraw the chosen permissions."""
        for permission in queryset:
            withdraw_permission(
                permission_id=permission.pk,
                reason="withdrawn in the back office",
                user=_editor(request),
                now=clock.now(),
            )
        messages.success(request, f"Withdrawn: {len(queryset)}.")


@admin.register(Worker)
class Workers(_ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Workers, to look at."""

    list_display = ("name", "email", "site", "status", "rhythm", "mail_state")
    list_select_related = ("site__account",)
    list_filter = ("status", "mail_state", "rhythm")
    search_fields = ("name", "email", "external_ref")
    show_full_result_count = False


@admin.register(RosterImport)
class RosterImports(_ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Imported files, to look at."""

    list_display = ("file_name", "account", "uploaded_at", "uploaded_by", "applied_at", "discarded_at")
    list_select_related = ("account", "uploaded_by")
    exclude = ("content",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RosterImport]:
        return super().get_queryset(request).defer("content")


def _record(request: HttpRequest, verb: Verb, about: About, form: ModelForm[Any]) -> None:
    data = {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}
    plain = {name: _plain(value) for name, value in data.items()}
    record_event(verb=verb, at=clock.now(), actor=actor_of(_editor(request)), about=about, data=plain)


def _plain(value: Any) -> Any:
    if isinstance(value, QuerySet):
        return sorted(value.values_list("pk", flat=True))
    return value.pk if isinstance(value, Model) else value


def _editor(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("the back office needs somebody who is signed in")
    return request.user
