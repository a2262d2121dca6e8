"""The back office for people, for administrators only. Daily work is in the console.

The admin classes of Django know their model only in the stubs, hence the ignores.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.http import HttpRequest

from sentinel.kernel import clock
from sentinel.people.models import Absence, ContactMethod, OfficerShift, User, WorkCalendar
from sentinel.people.reach import reaches, without_way
from sentinel.people.rules import Role
from sentinel.people.services import actor_of
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb

_ROLES = [(role.value, role.name.title()) for role in Role]


class _RolesMixin(forms.ModelForm):  # type: ignore[type-arg]
    roles = forms.MultipleChoiceField(choices=_ROLES, required=False, widget=forms.CheckboxSelectMultiple)


class NewUserForm(_RolesMixin, AdminUserCreationForm):  # type: ignore[type-arg]
    """Enter a user; a password can be set or left out."""

    class Meta:
        model = User
        fields = ("email", "name", "roles")


class ChangedUserForm(_RolesMixin, UserChangeForm):  # type: ignore[type-arg]
    """Change a user; the password has its own page."""

    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007  # the admin's fieldsets below choose


class ContactMethods(admin.TabularInline):  # type: ignore[type-arg]
    """Further ways to reach the user."""

    model = ContactMethod
    extra = 0
    fields = ("channel", "address", "label", "is_enabled", "verified_at")
    # Nobody but the person can say that a way reaches them.
    readonly_fields = ("verified_at",)


@admin.register(User)
class Users(UserAdmin):  # type: ignore[type-arg]
    """People who sign in. Nobody is deleted: deactivate, and the deputies act."""

    form = ChangedUserForm
    add_form = NewUserForm
    inlines = (ContactMethods,)
    list_display = ("name", "email", "roles", "zone", "manager", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "email")
    ordering = ("name",)
    filter_horizontal = ()
    autocomplete_fields = ("manager",)
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "telephone", "language")}),
        ("Work", {"fields": ("roles", "zone", "calendar", "manager", "is_active")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "roles", "zone", "usable_password", "password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """The back office belongs to the role of administrator, never to a box ticked by itself."""
        obj.is_staff = obj.is_superuser = obj.has_role(Role.ADMINISTRATOR)
        super().save_model(request, obj, form, change)
        record_event(
            verb=Verb.USER_CHANGED if change else Verb.USER_ADDED,
            at=clock.now(),
            actor=actor_of(_editor(request)),
            about=About(user_id=obj.pk),
            data={"fields": sorted(set(form.changed_data) - {"password1", "password2"}), "roles": obj.roles},
        )


@admin.register(WorkCalendar)
class WorkCalendars(admin.ModelAdmin):  # type: ignore[type-arg]
    """Working hours and holidays."""

    list_display = ("name", "country", "subdivision")
    search_fields = ("name",)


@admin.register(Absence)
class Absences(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who is away, and who stands in. Whoever is back early gets an earlier end, not a deleted row."""

    list_display = ("user", "starts_at", "ends_at", "deputy", "reason")
    autocomplete_fields = ("user", "deputy")
    date_hierarchy = "starts_at"

    def has_delete_permission(self, request: HttpRequest, obj: Absence | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Absence, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        data = {"from": obj.starts_at, "until": obj.ends_at, "deputy_id": obj.deputy_id, "reason": obj.reason}
        actor = actor_of(_editor(request))
        about = About(user_id=obj.user_id)
        record_event(verb=Verb.USER_ABSENT, at=clock.now(), actor=actor, about=about, data=data)


class ShiftForm(forms.ModelForm):  # type: ignore[type-arg]
    """A day of the rota, for somebody whom notices reach."""

    def clean_officer(self) -> User:
        """As in the console."""
        officer: User = self.cleaned_data["officer"]
        if "officer" in self.changed_data and without_way([officer]):
            raise forms.ValidationError(reaches([officer], now=clock.now())[officer.pk].why_never)
        return officer


@admin.register(OfficerShift)
class OfficerShifts(admin.ModelAdmin):  # type: ignore[type-arg]
    """The officer-of-the-day rota."""

    form = ShiftForm
    exclude = ("left_note", "left_at", "left_by")
    list_display = ("on", "officer", "hand_over_note")
    autocomplete_fields = ("officer",)
    date_hierarchy = "on"

    def save_model(self, request: HttpRequest, obj: OfficerShift, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        actor = actor_of(_editor(request))
        about = About(user_id=obj.officer_id)
        record_event(
            verb=Verb.OFFICER_ASSIGNED, at=clock.now(), actor=actor, about=about, data={"on": obj.on}
        )


def _editor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
