"""The application `bulk`."""

from django.apps import AppConfig


class BulkConfig(AppConfig):
    """Names the package for Django."""

    name = "sentinel.bulk"
    label = "bulk"
