from django.apps import AppConfig


class UiConfig(AppConfig):
    """Registers the templates, static files and template tags under the label `ui`."""

    name = "sentinel.ui"
    label = "ui"
    verbose_name = "User interface"
