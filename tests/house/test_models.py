"""Where the tables point."""

import configparser
from collections.abc import Iterator

from django.apps import apps
from django.db import models

from tests.house.sources import ROOT


def own_models() -> Iterator[type[models.Model]]:
    """Every model of our own packages."""
    for model in apps.get_models():
        if model.__module__.startswith("sentinel."):
            yield model


def _heights() -> dict[str, int]:
    """How high each package stands, read from the import contract so that there is one order."""
    contract = configparser.ConfigParser()
    contract.read(ROOT / ".importlinter")
    layers = contract["importlinter:contract:layers"]["layers"].strip().splitlines()
    return {
        name.strip(" ()"): -depth
        for depth, layer in enumerate(layers)
        for name in layer.split("|")
        if name.strip()
    }


def test_foreign_keys_point_downward_only() -> None:
    heights = _heights()
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in own_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
        and not isinstance(field.related_model, str)
        and field.related_model.__module__.startswith("sentinel.")
        and heights[field.related_model._meta.app_label] > heights[model._meta.app_label]
    ]
    assert not upward, "\n".join(upward)


def test_every_model_says_what_a_row_means() -> None:
    # Django writes "Name(field, ...)" into a missing docstring.
    silent = [m.__name__ for m in own_models() if not m.__doc__ or m.__doc__.startswith(f"{m.__name__}(")]
    assert not silent, "\n".join(silent)
