"""`VerdictPages`: the base class of the pages about verdicts, with their permissions, templates and exports."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.forms import Media
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from chat.admin import access
from chat.admin.lists import BoundedList
from chat.models import PairVerdict, User, Verdict

SCRIPTS = Media(js=[Script("chat/review.js", type="module")])  # type: ignore[list-item]  # the stubs know no assets

Noted = TypeVar("Noted", Verdict, PairVerdict)


class VerdictPages(BoundedList):
    """Pages instead of a list of verdicts. `folder` has their templates."""

    folder = ""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: a verdict is changed by filing another one."""
        return False

    def check_rights(self, request: HttpRequest, *, reads: bool = False) -> None:
        """Raise PermissionDenied without the permission to view verdicts; with `reads` also streams and
        conversations."""
        needed = ("chat.view_stream", "chat.view_conversation") if reads else ()
        if not (self.has_view_permission(request) and request.user.has_perms(needed)):
            raise PermissionDenied

    def page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        """Return a page from the template `name`."""
        common = {
            **self.admin_site.each_context(request),
            **access.context_of(request),
            "opts": self.opts,
            "scripts": SCRIPTS,
        }
        return TemplateResponse(request, f"admin/chat/{self.folder}/{name}.html", {**common, **context})

    @staticmethod
    def noted(request: HttpRequest, verdicts: Iterable[Noted]) -> Iterator[Noted]:
        """Yield the verdicts, without their notes if texts are hidden."""
        for verdict in verdicts:
            verdict.note = verdict.note if access.may_read(request) else ""
            yield verdict

    def export(self, request: HttpRequest, name: str, media_type: str, lines: Iterable[str]) -> HttpResponse:
        """Return a download of these lines. Raises PermissionDenied."""
        self.check_rights(request)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
        return HttpResponse("".join(lines), content_type=media_type, headers=headers)


def user_of(request: HttpRequest) -> User:
    """Return the signed-in reviewer."""
    reviewer = request.user
    assert isinstance(reviewer, User)
    return reviewer
