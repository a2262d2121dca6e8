"""The living style guide, inside the console's frame."""

from __future__ import annotations

from django.http import HttpResponse

from sentinel.people.rules import Role
from sentinel.ui.views import styleguide as draw
from sentinel.web.access import ConsoleRequest, screen


@screen(Role.ADMINISTRATOR)
def styleguide(request: ConsoleRequest) -> HttpResponse:
    """Administrators."""
    return draw(request)
