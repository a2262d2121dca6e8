"""The component tags: `{% load ui %}`. See `ui/styleguide.html` for every one of them in use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.forms.widgets import CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.template.context import RequestContext
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, pgettext
from heroicons.templatetags.heroicons import heroicon_outline, heroicon_solid

from sentinel.ui.formatting import (
    Units,
    count_down,
    duration_text,
    initials,
    shows_date,
    telephone_text,
    zone_city,
)
from sentinel.ui.frames import NavItem
from sentinel.ui.mail import public_number

register = template.Library()
register.filter("telephone", telephone_text)
register.filter("public_number", public_number)

THEMES = ("light", "dark")
THEME_COOKIE = "sentinel_theme"


def _units() -> Units:
    return Units(
        minute=pgettext("unit", "min"),
        hour=pgettext("unit", "h"),
        day=pgettext("unit", "d"),
    )


@register.simple_tag(takes_context=True)
def theme_attribute(context: template.Context) -> SafeString:
    """` data-theme="dark"` when this browser chose a theme; from a cookie, so that no page flashes."""
    request = context.get("request")
    chosen = request.COOKIES.get(THEME_COOKIE, "") if request is not None else ""
    return format_html(' data-theme="{}"', chosen) if chosen in THEMES else SafeString("")


@register.simple_tag
def icon(name: str, *, size: int = 20, solid: bool = False, label: str = "") -> SafeString:
    """A heroicon as inline SVG in the text colour; decorative unless it gets a `label`."""
    draw = heroicon_solid if solid else heroicon_outline
    attributes: dict[str, str] = {"class": "icon"}
    # The package hides every icon from screen readers; one with a label must be told to speak.
    attributes |= {"aria_hidden": "false", "role": "img", "aria_label": label} if label else {}
    return mark_safe(draw(name, size=size, **attributes))  # noqa: S308 - an XML serialiser escaped it


@register.inclusion_tag("ui/parts/face.html")
def face(kind: str, *, size: int = 24, label: str = "") -> dict[str, object]:
    """The `happy` or the `frown` face in the text colour."""
    return {"kind": kind, "size": size, "label": label}


@register.inclusion_tag("ui/parts/mark.html")
def brand_mark(*, size: int = 28) -> dict[str, object]:
    """Sentinel's mark: one face whose mouth begins as a frown and ends as a smile."""
    return {"size": size}


@register.simple_tag
def pill(label: object, tone: str = "neutral", icon_name: str = "") -> SafeString:
    """A status pill; the caller knows which tone its state has."""
    drawing = icon(icon_name, size=14, solid=True) if icon_name else SafeString("")
    return format_html('<span class="pill pill--{}">{}{}</span>', tone, drawing, label)


@register.simple_tag
def countdown(due_at: datetime, now: datetime, soon_minutes: int = 30) -> SafeString:
    """A due time as distance from `now` ("due in 12 min", "late by 3 h 05"); `ui.js` keeps it running.

    The script counts from `data-left`, never from the browser's clock, so a demonstration clock stays right.
    """
    distance = count_down(due_at, now, soon_minutes=soon_minutes, units=_units())
    due, late = gettext("due in %s"), gettext("late by %s")
    nowtext = gettext("due now")
    text = (late if distance.is_late else due) % distance.text if distance.text else nowtext
    return format_html(
        '<time class="countdown countdown--{}" datetime="{}" data-left="{}" data-soon="{}" data-texts="{}">'
        "{}</time>",
        distance.tone,
        due_at.isoformat(timespec="seconds"),
        distance.seconds,
        soon_minutes * 60,
        "|".join([due, late, nowtext, _units().minute, _units().hour, _units().day]),
        text,
    )


@register.simple_tag
def ago(moment: datetime, now: datetime) -> SafeString:
    """How long ago something happened: "3 h 05 ago", "just now"."""
    text = duration_text(int((now - moment).total_seconds()), _units())
    return format_html(
        '<time datetime="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        gettext("%s ago") % text if text else gettext("just now"),
    )


@register.simple_tag
def local_time(moment: datetime, zone: str | ZoneInfo, now: datetime | None = None) -> SafeString:
    """A moment in somebody's own zone, "Fri 16:50 (Kyiv)"; given `now`, dated if a weekday misleads."""
    tz = ZoneInfo(zone) if isinstance(zone, str) else zone
    local = moment.astimezone(tz)
    dated = shows_date(local, now.astimezone(tz) if now else None)
    pattern = "D j M Y H:i" if dated and now and local.year != now.year else "D j M H:i" if dated else "D H:i"
    return format_html(
        '<time class="when" datetime="{}">{} <span class="when__zone">({})</span></time>',
        moment.isoformat(timespec="seconds"),
        date_format(local, pattern),
        zone_city(tz.key),
    )


@register.simple_tag
def avatar(name: str, *, large: bool = False) -> SafeString:
    """Initials in a disc. Decorative: the name itself always stands beside it."""
    size = " avatar--large" if large else ""
    return format_html('<span class="avatar{}" aria-hidden="true">{}</span>', size, initials(name))


@register.simple_tag
def keys(combination: str) -> SafeString:
    """Key hints: `{% keys "g t" %}` draws two key caps."""
    return format_html_join(" ", "<kbd>{}</kbd>", ((part,) for part in combination.split()))


@register.inclusion_tag("ui/parts/field.html")
def field(bound: BoundField, *, label: str = "", placeholder: str = "") -> dict[str, object]:
    """A form field with label, help and errors, tied together by `aria-describedby`."""
    widget = bound.field.widget
    is_group = isinstance(widget, (RadioSelect, CheckboxSelectMultiple))
    described = [f"{bound.auto_id}_helptext"] if bound.help_text else []
    described += [f"{bound.auto_id}_error"] if bound.errors else []
    attributes: dict[str, Any] = {"placeholder": placeholder} if placeholder else {}
    if described and not is_group:
        attributes["aria-describedby"] = " ".join(described)
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attributes),
        "label": label or bound.label,
        "described": " ".join(described),
        "is_group": is_group,
        "is_check": isinstance(widget, CheckboxInput),
        "is_optional": not bound.field.required,
    }


@register.inclusion_tag("ui/parts/stat.html")
def stat(
    label: str, value: object, note: str = "", tone: str = "neutral", url: str = ""
) -> dict[str, object]:
    """One number with its name; `note` is where n, the interval or the period belongs."""
    return {"label": label, "value": value, "note": note, "tone": tone, "url": url}


@register.inclusion_tag("ui/parts/empty.html")
def empty(
    title: str, text: str = "", *, icon_name: str = "", url: str = "", action: str = ""
) -> dict[str, object]:
    """What a list says when it has nothing to say. Without an icon it smiles."""
    return {"title": title, "text": text, "icon_name": icon_name, "url": url, "action": action}


@register.inclusion_tag("ui/parts/tabs.html")
def tabs(items: Sequence[NavItem], label: str) -> dict[str, object]:
    """Tabs that are links: each has its own address and works without JavaScript."""
    return {"items": items, "label": label}


@register.inclusion_tag("ui/parts/alert.html")
def alert(text: str, tone: str = "info", title: str = "") -> dict[str, object]:
    """A message in the page. Tone `suffer` is announced at once, all others politely."""
    return {"text": text, "tone": tone, "title": title}


@register.inclusion_tag("ui/parts/pagination.html", takes_context=True)
def pagination(context: RequestContext, page: Page[Any], parameter: str = "page") -> dict[str, object]:
    """Previous, next and where one is; keeps the other query parameters."""

    def address(number: int) -> str:
        query = context.request.GET.copy()
        query[parameter] = str(number)
        return f"?{query.urlencode()}"

    return {
        "page": page,
        "previous_url": address(page.previous_page_number()) if page.has_previous() else "",
        "next_url": address(page.next_page_number()) if page.has_next() else "",
    }
