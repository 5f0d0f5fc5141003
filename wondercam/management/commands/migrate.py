"""`manage.py migrate`: Django's, which here checks only what has to do with databases."""

from django.core.checks import Tags
from django.core.management.commands import migrate


class Command(migrate.Command):
    """Brings the database up to date, also where a variable of a provider is wrong: that one stops `serve`."""

    requires_system_checks = [Tags.models, Tags.database]
