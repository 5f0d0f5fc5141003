"""Defences that are taken away on purpose, one at a time, and the test that must turn red for each.

    python -m tests.weakenings [words of a name]

A test of a defence that passes without it proves nothing. `test_weakenings.py` holds that each text is still there, in
every run; `make soak` takes them away. Each is tried in a copy of the project.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("chat", "wondercam", "tests", "pyproject.toml", "manage.py", ".env.example")
LINKED = ("templates", "static", "docs", "deploy", "node_modules")


class Weakening(NamedTuple):
    """In `file`, `old` becomes `new`; `test` (below `tests/unit/`) then fails."""

    name: str
    file: str
    old: str
    new: str
    test: str


WEAKENINGS = (
    Weakening(
        "a token's signature is not checked",
        "chat/accounts/claims.py",
        "leeway=LEEWAY, options=OPTIONS,",
        'leeway=LEEWAY, options={**OPTIONS, "verify_signature": False},',
        "test_tokens.py::test_a_token_that_is_wrong_in_one_thing_is_refused",
    ),
    Weakening(
        "a sign-out ends no access token",
        "chat/accounts/tokens.py",
        "WHERE family.jti = %s)",
        "WHERE family.jti = %s AND 1 = 0)",
        "test_tokens.py::test_signing_out_refuses_both_tokens_at_once",
    ),
    Weakening(
        "an API key for reading may chat",
        "chat/accounts/tokens.py",
        'needs or (keys.READ if request.method in ("GET", "HEAD") else keys.CHAT)',
        "needs or keys.READ",
        "test_keys.py::test_a_key_for_reading_starts_nothing_and_changes_nothing",
    ),
    Weakening(
        "API keys are kept as they are",
        "chat/accounts/keys.py",
        '{"digest": digest(raw),',
        '{"digest": raw,',
        "test_keys.py::test_a_new_key_is_shown_once_and_kept_as_its_digest",
    ),
    Weakening(
        "another's stream is read like one's own",
        "chat/views/resume.py",
        "Stream.objects.for_user(user.pk).with_question()",
        "Stream.objects.with_question()",
        "test_resume.py::test_a_stream_of_somebody_else_looks_like_none",
    ),
    Weakening(
        "another's photo is shown",
        "chat/attachments/__init__.py",
        "found = await Attachment.objects.for_user(user.pk).filter(",
        "found = await Attachment.objects.filter(",
        "test_attachments.py::test_a_photo_of_another_looks_like_none",
    ),
    Weakening(
        "another site makes the page's token",
        "chat/views/auth.py",
        '@api("POST", csrf=True)\nasync def session',
        '@api("POST")\nasync def session',
        "test_tokens.py::test_the_pages_token_needs_the_csrf_token",
    ),
    Weakening(
        "passwords may be tried without end",
        "chat/views/auth.py",
        "    await spend_try(given.username, limits.address(request))\n",
        "",
        "test_limits.py::test_the_16th_try_at_an_account_waits_whatever_its_password",
    ),
    Weakening(
        "the page runs inline scripts",
        "wondercam/security.py",
        "script-src 'nonce-{nonce}' 'strict-dynamic'; style-src",
        "script-src 'self' 'unsafe-inline'; style-src",
        "test_security.py::test_the_page_runs_only_scripts_with_the_nonce_of_this_very_response",
    ),
    Weakening(
        "an upstream sends a request, with its key, elsewhere",
        "chat/providers/http/client.py",
        "session().post(url, data=data, headers=headers, allow_redirects=False)",
        "session().post(url, data=data, headers=headers)",
        "providers/test_client.py::test_no_redirect_is_followed_and_no_key_goes_elsewhere",
    ),
    Weakening(
        "a client has the server fetch a file",
        "chat/protocol/request.py",
        'NOT_PARTS = {"fileData"}',
        "NOT_PARTS: set[str] = set()",
        "test_doors.py::test_what_would_have_to_be_left_out_is_refused_by_name",
    ),
    Weakening(
        "a push service may be an address of the server's own network",
        "chat/push/endpoint.py",
        "return all(found.is_global and",
        "return True or all(found.is_global and",
        "test_push_delivery.py::test_a_name_that_resolves_to_a_private_address_is_not_connected_to",
    ),
    Weakening(
        "staff without the permission read texts",
        "chat/admin/access.py",
        "return bool(settings.REVIEW_TEXTS) and request.user.has_perm(READ_TEXTS)",
        "return bool(settings.REVIEW_TEXTS)",
        "test_texts_of_review.py::test_where_texts_are_hidden_no_page_of_the_review_holds_one",
    ),
    Weakening(
        "what a model wrote drives the operator's terminal",
        "chat/management/terminal.py",
        'HIDDEN = frozenset(("Cc", "Cf", "Cs"))',
        'HIDDEN = frozenset(("Cs",))',
        "test_terminal.py::test_what_drives_a_terminal_is_written_out",
    ),
    Weakening(
        "a note is a formula in a spreadsheet",
        "chat/verdicts/scores.py",
        'return f"\'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell',
        "return cell",
        "test_verdicts.py::test_no_cell_of_the_table_is_a_formula",
    ),
)


def weakened(weakening: Weakening, folder: Path) -> None:
    """The project in `folder`, without the defence. Raises ValueError where its text is not there exactly once."""
    for name in COPIED:
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__", "weights", "node_modules")
        shutil.copytree(source, folder / name, ignore=ignored) if source.is_dir() else shutil.copy(source, folder)
    for name in LINKED:
        (folder / name).symlink_to((ROOT / name).resolve())
    file = folder / weakening.file
    text = file.read_text()
    if text.count(weakening.old) != 1:
        raise ValueError(f"{weakening.file} has not this text once: {weakening.old!r}")
    file.write_text(text.replace(weakening.old, weakening.new))


def outcome(weakening: Weakening) -> tuple[bool, str]:
    """Whether the test turned red, and the last lines that pytest said."""
    with tempfile.TemporaryDirectory(prefix="wondercam-weakening-") as folder:
        weakened(weakening, Path(folder))
        command = [sys.executable, "-m", "pytest", f"tests/unit/{weakening.test}", "-q", "-x", "-p", "no:cacheprovider"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)
    return done.returncode == 1 and " failed" in done.stdout, done.stdout[-600:] + done.stderr[-300:]


def main(words: str = "") -> int:
    """Try those whose name has these words; 0 where each turned its test red."""
    missed = 0
    for weakening in (each for each in WEAKENINGS if words in each.name):
        is_red, said = outcome(weakening)
        missed += not is_red
        print(
            f"{'red   ' if is_red else 'GREEN '} {weakening.name}: {weakening.test}{'' if is_red else said}", flush=True
        )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
