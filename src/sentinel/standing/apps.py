"""The application `standing`."""

from django.apps import AppConfig


class StandingConfig(AppConfig):
    """Names the package for Django."""

    name = "sentinel.standing"
    label = "standing"
