"""The application `inbound`."""

from django.apps import AppConfig


class InboundConfig(AppConfig):
    """Names the package for Django."""

    name = "sentinel.inbound"
    label = "inbound"
