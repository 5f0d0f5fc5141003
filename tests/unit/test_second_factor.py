"""A second factor before the review: what opens it, what does not, and how it ends.

In a process of its own: the library's tables are there only where the setting is on. Its clock is the test's.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from chat.models import User
from tests.unit.test_settings import ROOT

pytestmark = pytest.mark.slow

BEGINNING = """
import base64, hmac, re, struct
from types import SimpleNamespace

import django
django.setup()
from allauth.mfa.totp.internal import auth
from django.core.management import call_command
from django.test import Client, override_settings
from chat.models import AuditEntry, User

PASSWORD = "correct horse battery"
clock = [1_700_000_000]
auth.time = SimpleNamespace(time=lambda: clock[0])
FACTOR = "/admin/second-factor/"

def code(secret, ahead=1):
    '''RFC 6238, of a period that nobody has used yet.'''
    clock[0] += 30 * ahead
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", clock[0] // 30), "sha1")
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 10**6:06}"

def signed_in(name="chief"):
    browser = Client()
    browser.force_login(User.objects.get(username=name))
    return browser

def where(browser, path="/admin/"):
    '''Where one ends who asks for a page.'''
    answer = browser.get(path, follow=True)
    return answer.redirect_chain[-1][0].partition("?")[0] if answer.redirect_chain else path

def sent(browser, **fields):
    '''Status and place after the form.'''
    answer = browser.post(FACTOR, fields)
    return answer.status_code, answer.headers.get("Location", "")

def begun(browser):
    text = browser.get(FACTOR).content.decode()
    return re.search(r"<code>([A-Z2-7 ]+)</code>", text)[1].replace(" ", "")

def papers_of(answer):
    return re.search(r'<pre class="codes">([^<]*)', answer.content.decode())[1].split()

def has_set_up(browser):
    secret = begun(browser)
    return secret, papers_of(browser.post(FACTOR, {"password": PASSWORD, "code": code(secret)}))
"""


LOOP = """
import contextlib, io, json, sys, traceback

def answer(job):
    User.objects.all().delete()
    AuditEntry.objects.all().delete()
    User.objects.create_superuser("chief", password=PASSWORD)
    with contextlib.redirect_stdout(io.StringIO()) as out, override_settings(SECOND_FACTOR=job["mode"]):
        try:
            exec(job["program"], dict(globals()))
        except Exception:
            traceback.print_exc(file=out)
    return out.getvalue()

call_command("migrate", verbosity=0)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
"""


def process(file: Path, program: str, mode: str = "staff") -> subprocess.Popen[str]:
    """A program that begins with the setting."""
    environment = {
        **os.environ,
        "ALLOWED_HOSTS": "testserver",
        "DATABASE_URL": f"sqlite:///{file}",
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "wondercam.settings",
        "WONDERCAM_DATA_DIR": str(file.parent),
        "WONDERCAM_HTTPS": "0",
        "WONDERCAM_LIMITS": "off",
        "WONDERCAM_SECOND_FACTOR": mode,
    }
    command = [sys.executable, "-c", program]
    log = file.with_suffix(".log").open("w")
    with log:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[Callable[..., list[str]]]:
    """What a program prints where the setting is on, and nobody is there but a superuser."""
    file = tmp_path_factory.mktemp("second-factor") / "wondercam.sqlite3"
    shutil.copy(migrated_database, file)

    def of(program: str, mode: str = "staff") -> list[str]:
        assert child.stdin
        assert child.stdout
        child.stdin.write(json.dumps({"program": program, "mode": mode}) + "\n")
        child.stdin.flush()
        line = child.stdout.readline()
        assert line, file.with_suffix(".log").read_text()
        return str(json.loads(line)).splitlines()

    with process(file, BEGINNING + LOOP) as child:
        yield of
        child.kill()


def test_staff_set_one_up_before_they_see_anything(said):
    assert said("""
browser = Client()
browser.post("/admin/login/", {"username": "chief", "password": PASSWORD})
print(where(browser), where(browser, "/admin/chat/stream/"))
secret = begun(browser)
print(secret == begun(browser), len(secret))
print(sent(browser, password="wrong", code=code(secret)))
print(sent(browser, password=PASSWORD, code="000000"))
print(where(browser))
answer = browser.post(FACTOR, {"password": PASSWORD, "code": code(secret)})
print(answer.status_code, len(set(papers_of(answer))))
print(where(browser), where(browser, "/admin/chat/stream/"))
print(papers_of(answer)[0] in browser.get(FACTOR).content.decode())
""") == [
        "/admin/second-factor/ /admin/second-factor/",
        "True 32",
        "(403, '')",
        "(403, '')",
        "/admin/second-factor/",
        "200 10",
        "/admin/ /admin/chat/stream/",
        "False",
    ]


def test_a_code_opens_one_session_once(said):
    assert said("""
first, second, third = signed_in(), signed_in(), signed_in()
secret, papers = has_set_up(first)
print(where(second), sent(second, code=""), sent(second, code="123"))
now = code(secret, 0)
print(sent(second, code=now))
now = code(secret)
print(sent(second, code=f"{now[:3]} {now[3:]}"), where(second))
print(sent(third, code=now), where(third))
print(sent(third, code=papers[0]), where(third))
print(sent(signed_in(), code=papers[0]), sent(signed_in(), code=papers[1]))
print("8 of the codes" in third.get(FACTOR).content.decode())
""") == [
        "/admin/second-factor/ (403, '') (403, '')",
        "(403, '')",
        "(302, '/admin/') /admin/",
        "(403, '') /admin/second-factor/",
        "(302, '/admin/') /admin/",
        "(403, '') (302, '/admin/')",
        "True",
    ]


def test_its_secrets_lie_sealed_and_open_nothing_by_another_key(said):
    assert said("""
import json
from allauth.mfa.models import Authenticator
browser = signed_in()
secret, papers = has_set_up(browser)
kept = json.dumps([row.data for row in Authenticator.objects.all()])
print(secret in kept, kept.count('sealed:'))
now = code(secret)
with override_settings(SECRET_KEY="another key of more than fifty characters, made for this test"):
    from chat.accounts import second_factor
    chief = User.objects.get(username="chief")
    print(second_factor.takes(chief, now), second_factor.takes(chief, papers[0]), second_factor.takes(chief, "000000"))
print(second_factor.takes(chief, now), second_factor.takes(chief, papers[0]))
""") == ["False 2", "False False False", "True True"]


def test_one_that_was_set_up_before_secrets_were_sealed_still_opens(said):
    assert said("""
from allauth.mfa.models import Authenticator
from chat.accounts import second_factor
browser = signed_in()
secret, papers = has_set_up(browser)
row = Authenticator.objects.get(type=Authenticator.Type.TOTP)
row.data["secret"] = secret
row.save()
print(second_factor.takes(User.objects.get(username="chief"), code(secret)))
""") == ["True"]


def test_it_leads_back_to_where_one_wanted_to_go_and_nowhere_else(said):
    assert said("""
browser = signed_in()
secret, papers = has_set_up(browser)
def leads(to, paper):
    browser = signed_in()
    asked = browser.get("/admin/login/", {"next": to})
    return browser.post(asked.headers["Location"], {"code": paper}).headers["Location"]
print(leads("/admin/chat/stream/", papers[0]), leads("//evil.example/", papers[1]))
""") == ["/admin/chat/stream/ /admin/"]


def test_new_codes_for_a_lost_app_end_the_old_ones_and_required_factors_stay(said):
    assert said("""
browser = signed_in()
secret, papers = has_set_up(browser)
print(sent(browser, choice="codes", code="1"))
new = papers_of(browser.post(FACTOR, {"choice": "codes", "code": code(secret)}))
print(len(new), set(new) & set(papers))
print(sent(signed_in(), code=papers[0]), sent(signed_in(), code=new[0]))
print("Remove" in browser.get(FACTOR).content.decode(), sent(browser, choice="remove", code=code(secret))[0])
print(where(browser), where(signed_in()))
""") == ["(403, '')", "10 set()", "(403, '') (302, '/admin/')", "False 200", "/admin/ /admin/second-factor/"]


def test_where_it_is_optional_only_those_who_have_one_are_asked(said):
    program = """
browser = signed_in()
print(where(browser), "Your second factor" in browser.get("/admin/").content.decode())
secret, papers = has_set_up(browser)
print(where(browser), where(signed_in()))
print(sent(browser, choice="remove", code=code(secret)))
print(where(browser), where(signed_in()))
print(*AuditEntry.objects.order_by("pk").values_list("action", "name"))
"""
    assert said(program, "optional") == [
        "/admin/ True",
        "/admin/ /admin/second-factor/",
        "(302, '/admin/')",
        "/admin/ /admin/",
        "('factor-on', 'chief') ('factor-off', 'chief')",
    ]


def test_a_lost_one_is_removed_by_the_operator_and_its_sessions_see_nothing_more(said):
    assert said("""
browser = signed_in()
has_set_up(browser)
call_command("remove_second_factor", "chief")
call_command("remove_second_factor", "chief", "--json")
print(where(browser), "Your password" in browser.get(FACTOR).content.decode())
""") == [
        "chief has no second factor any more.",
        '{"user": "chief", "removed": false}',
        "/admin/second-factor/ True",
    ]


def test_it_is_nothing_to_others_and_its_rows_are_on_no_page(said):
    assert said("""
User.objects.create_user("ann", password=PASSWORD)
print(where(signed_in("ann"), FACTOR), where(Client(), FACTOR))
browser = signed_in()
has_set_up(browser)
shown = browser.get("/admin/").content.decode()
print("authenticator" in shown.lower(), browser.get("/admin/mfa/authenticator/").status_code)
print(Client().post("/v2/auth/token", {"username": "ann", "password": PASSWORD}, "application/json").status_code)
""") == ["/admin/login/ /admin/login/", "False 404", "200"]


def test_too_many_codes_are_too_many_tries_of_that_account(said):
    assert said("""
browser = signed_in()
has_set_up(browser)
other = signed_in()
with override_settings(LIMITS_OFF=False):
    answers = [other.post(FACTOR, {"code": "1", "username": f"x{n}"}) for n in range(40)]
print({answer.status_code for answer in answers}, int(answers[-1].headers["Retry-After"]) > 0)
""") == ["{403, 429} True"]


@pytest.mark.django_db
def test_where_it_is_off_nothing_of_it_is_there():
    browser = Client()
    browser.force_login(User.objects.create_superuser("chief"))
    shown = browser.get("/admin/")
    assert shown.status_code == 200
    assert "second factor" not in shown.content.decode()
    assert browser.get("/admin/second-factor/").status_code == 404
    with pytest.raises(CommandError, match="WONDERCAM_SECOND_FACTOR is off"):
        call_command("remove_second_factor", "chief")


def test_another_word_stops_the_start(tmp_path: Path):
    with process(tmp_path / "x.sqlite3", "import django; django.setup()", "on") as child:
        assert child.wait() != 0
    assert "WONDERCAM_SECOND_FACTOR is 'on': write off, optional or staff" in (tmp_path / "x.log").read_text()


def test_the_picture_for_the_app_stands_on_white_in_every_theme():
    css = (ROOT / "static" / "chat" / "admin.css").read_text()
    (rule,) = re.findall(r"\.review\.second-factor img \{([^}]*)\}", css)
    assert "background: #fff" in rule
    assert "review second-factor" in (ROOT / "templates" / "admin" / "second_factor.html").read_text()
