"""The application `assurance`."""

from django.apps import AppConfig


class AssuranceConfig(AppConfig):
    """Names the package for Django."""

    name = "sentinel.assurance"
    label = "assurance"
