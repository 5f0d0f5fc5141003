"""`known`: an object of the database, made from values that are at hand."""

from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.base import ModelState

Kept = TypeVar("Kept", bound=Model)


def known(model: type[Kept], **values: Any) -> Kept:
    """The stored object with these values, named as columns are; Django fetches other fields at their first use.

    `Model.from_db` does the same after it has passed all fields of the model twice, a fortieth of a question's CPU. It
    also sends the signals of a new object, to which nobody listens.
    """
    made = model.__new__(model)
    made._state = ModelState()
    made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
    made.__dict__.update(values)
    return made
