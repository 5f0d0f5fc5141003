"""`known`: an object of the database, made from values that are at hand."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.models import User, known


@pytest.mark.django_db
def test_an_object_made_of_known_values_is_the_stored_one():
    stored = User.objects.create(username="ann", is_guest=True)
    with CaptureQueriesContext(connection) as captured:
        made = known(User, id=stored.pk, is_guest=True)
        assert (made.pk, made.is_guest, made._state.adding) == (stored.pk, True, False)
    assert not captured.captured_queries
    assert made == stored
    assert made.username == "ann"

    made.username = "bob"
    made.save()
    assert User.objects.get().username == "bob"
    assert "password" in known(User, id=stored.pk).get_deferred_fields()


@pytest.mark.django_db
def test_it_is_what_from_db_would_make():
    stored = User.objects.create(username="ann")
    made, loaded = known(User, id=stored.pk), User.from_db("default", ("id",), (stored.pk,))
    assert made.get_deferred_fields() == loaded.get_deferred_fields()
    assert vars(made._state) == vars(loaded._state)
    assert vars(made).keys() == vars(loaded).keys()
