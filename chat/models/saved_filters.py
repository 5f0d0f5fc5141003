"""Saved filters of the review's lists."""

from typing import Any

from django.db import models

from chat.models.accounts import User

MOST = 50
"""The most filters of one reviewer for one list."""


class TooManyFilters(Exception):
    """A reviewer has `MOST` of them for this list already."""


class SavedFilter(models.Model):
    """A reviewer's named filter of a list. `query` is the query string of the list's URL, without `?`."""

    LONGEST_QUERY = 1_000

    reviewer = models.ForeignKey(User, models.CASCADE, related_name="saved_filters")
    shown_on = models.CharField(max_length=20, help_text="The model whose list it narrows.")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=LONGEST_QUERY)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("reviewer", "shown_on", "name"), name="one_filter_of_a_name"),)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def save_as(cls, name: str, **of: Any) -> "SavedFilter":
        """Store `query` under this name, in place of an earlier one. TooManyFilters if it would exceed `MOST`."""
        query = of.pop("query")
        own = cls.objects.filter(**of)
        if not own.filter(name=name).exists() and own.count() >= MOST:
            raise TooManyFilters
        return cls.objects.update_or_create(name=name, **of, defaults={"query": query})[0]
