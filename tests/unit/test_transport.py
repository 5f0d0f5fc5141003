"""The check for the private names of Twisted at the start."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from twisted.internet import tcp
from twisted.python.versions import Version

from wondercam.server.transport import check_twisted


def test_the_locked_twisted_has_what_is_used():
    check_twisted()


@pytest.mark.parametrize("major", [25, 27])
def test_a_twisted_that_was_never_tried_is_refused_with_what_to_do(major: int):
    with pytest.raises(ImproperlyConfigured, match=rf"Twisted {major}\.1\.0 was never tried.*requirements\.txt"):
        check_twisted(Version("Twisted", major, 1, 0))


def test_a_name_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(tcp.Port, "_fromListeningDescriptor")
    with pytest.raises(ImproperlyConfigured, match=r"has no _fromListeningDescriptor"):
        check_twisted()
