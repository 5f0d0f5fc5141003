"""Every link of the review's pages leads somewhere its reader may go, whatever permissions that has."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from chat.models import Conversation, Feedback, StreamRerun, User
from chat.protocol import events
from tests.unit.test_admin import answer, ask, staff

MOST_PAGES = 60
LINK = re.compile(r'href="(/admin/[^"#]*)')

pytestmark = pytest.mark.django_db


def walked(client: Client) -> dict[str, tuple[str, int]]:
    """From the index on: each link that is refused, with the page that has it."""
    refused: dict[str, tuple[str, int]] = {}
    seen, ahead = {"/admin/"}, [("/admin/", "/admin/")]
    while ahead and len(seen) < MOST_PAGES * 4:
        page, before = ahead.pop(0)
        response: Any = client.get(page)
        if response.status_code in (403, 404, 500):
            refused[page] = before, response.status_code
        if response.status_code != 200 or "html" not in response.headers["Content-Type"]:
            continue
        for link in map(unescape, LINK.findall(response.content.decode())):
            if link not in seen and "logout" not in link and "password_change" not in link:
                seen.add(link)
                ahead.append((link, page))
    return refused


@pytest.fixture
def filed():
    """Answers of every kind: two to one question, one of them asked again, with a thumb; and a failed one."""
    conversation = Conversation.objects.create(user=User.objects.create(username="ana"), title="Clouds")
    question = ask(conversation)
    first, second = answer(question), answer(question, "Another.", model="other")
    answer(ask(conversation, parent=first), status=events.FAILED, error={"code": 503, "message": "Out of steam."})
    StreamRerun.objects.create(stream=second.stream, original=first.stream)
    Feedback.objects.create(message=first, value=-1)
    return first


def permissions() -> list[str]:
    """The codes of all permissions of the app."""
    return list(Permission.objects.filter(content_type__app_label="chat").values_list("codename", flat=True))


ALONE = [
    "view_stream",
    "view_conversation",
    "view_verdict",
    "view_user",
    "view_auditentry",
    "view_apikey",
    "view_modeluse",
]


@pytest.mark.parametrize("code", ALONE)
@pytest.mark.parametrize("more", [(), ("read_texts",), ("read_texts", "add_verdict")], ids=len)
def test_one_permission_alone_leads_to_no_refusal(filed, code, more):
    assert code in permissions()
    assert walked(staff(code, *more)) == {}


@pytest.mark.parametrize("missing", ["view_stream", "view_conversation", "view_verdict", "view_user", "read_texts"])
def test_nor_does_one_that_is_missing(filed, missing):
    assert walked(staff(*({*permissions()} - {missing, missing.replace("view", "change")}))) == {}
