"""The review on PostgreSQL: its lists, its queue and the operators' page ask what that database answers."""

import os
import subprocess
import sys

PROGRAM = """
import django; django.setup()
from django.core.management import call_command
from django.test import Client
from django.db import connection
from chat import message_index
from chat.admin import operations, search
from chat.models import Message, User
from chat.protocol import events
from tests.unit.test_admin import ask
from tests.unit.test_verdicts import made, session

call_command("migrate", verbosity=0)
failed = made(status=events.FAILED, error={"code": 503, "status": "UNAVAILABLE", "message": "No."})
whole = made()
client = Client()
client.force_login(User.objects.create_superuser("chief"))

print("operations", [(each.kind, each.count) for each in operations.page({})["failures"]])
print("sizes", [name for name, size in operations.sizes() if size > 0])
narrowed = f"?user={failed.user_id}&model=tiny&status__exact=failed"
addresses = (
    "/admin/chat/stream/now/",
    "/admin/chat/stream/" + narrowed,
    "/admin/chat/verdict/" + narrowed,
    session(failed),
    f"/admin/chat/stream/{failed.pk}/beside/{whole.pk}/",
)
form = {"name": "Mine", "query": narrowed[1:], "shown_on": "stream"}
print("saved", client.post("/admin/chat/verdict/filters/", form).status_code)
ask(whole.conversation, "Wie SPÄT, wherefore 東京?")
for word in ("WHEREFORE", "spät", "東京", "nowhere"):
    found = client.get("/admin/chat/conversation/", {"q": word}).content.decode()
    print(word, [str(each.conversation_id) in found for each in (whole, failed)])

ask(failed.conversation, "The newest message.")
search.LOOKED_THROUGH = 1
def found(word):
    return str(whole.conversation_id) in client.get("/admin/chat/conversation/", {"q": word}).content.decode()
with connection.cursor() as cursor:
    for way in ("seqscan", "indexscan"):  # of so few rows all are read sooner
        cursor.execute(f"SET enable_{way} = off")
    print("not yet", found("wherefore"), found("newest"))
    while message_index.add_some():
        pass
    print("left", Message.objects.filter(is_indexed=False).count())
    print("used", message_index.INDEX in search.indexed("wherefore").explain())
    print("of all", found("wherefore"), found("?"))
    ask(whole.conversation, "Something newer.")
    print("not yet", found("something newer"), found("wherefore"))
    cursor.execute("DROP INDEX " + message_index.INDEX)
    print("of the newest", found("wherefore"))
client.post("/admin/chat/conversation/texts/", {"texts": "hide"})
print("pages", {client.get(address).status_code for address in addresses})
"""

SAID = """operations [('UNAVAILABLE', 1)]
sizes ['database', "free on the data folder's disk", 'size of that disk']
saved 302
WHEREFORE [True, False]
spät [True, False]
東京 [True, False]
nowhere [False, False]
not yet False False
left 0
used True
of all True False
not yet True True
of the newest False
pages {200}
"""


def test_its_pages_answer_on_postgresql(postgres_url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": postgres_url, "DEBUG": "1", "ALLOWED_HOSTS": "testserver"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.returncode) == (SAID, 0), done.stderr
