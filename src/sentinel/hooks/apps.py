"""The application `hooks`."""

from django.apps import AppConfig


class HooksConfig(AppConfig):
    """Names the package for Django."""

    name = "sentinel.hooks"
    label = "hooks"
