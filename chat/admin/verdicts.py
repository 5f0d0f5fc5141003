"""The review: a queue of answers by why one would look at them, a page for each, and the verdicts that were filed.

    queue (j, k, Enter) ── the session page (1 to 5, n, p, Ctrl+Enter) ── verdict ── the next of the queue

An answer that is opened is its reviewer's own for a while; others see who has it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import Media
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from chat import review
from chat.accounts import audit
from chat.admin import access, hidden, saved_filters
from chat.admin.display import facts, message_row, verdict_row
from chat.admin.lists import BoundedList
from chat.admin.narrowed_queue import NarrowedQueue
from chat.admin.timeline import timeline
from chat.admin.verdict_form import VerdictForm
from chat.models import ReviewLock, Stream, User, Verdict
from chat.models.verdicts import CRITERIA, SCORES
from chat.verdicts import agreement, queue, scores

SHOWN = 50
"""Answers of a queue that are listed."""

SCRIPTS = Media(js=[Script("chat/review.js", type="module")])  # type: ignore[list-item]  # the stubs know no assets

COMPARED = 5_000
"""The newest verdicts, by which agreement is computed and which an export holds."""


@admin.register(Verdict)
class VerdictAdmin(BoundedList):
    """The queue in place of a list of verdicts."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: a verdict is changed by filing another one."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """The queue, an answer's page, the exports, and the saved filters of all lists."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.show_queue), name="chat_verdict_changelist"),
            path("<uuid:pk>/", view(self.session), name="chat_verdict_session"),
            path("scores.jsonl", view(self.export_scores), name="chat_verdict_scores"),
            path("verdicts.csv", view(self.export_table), name="chat_verdict_table"),
            *saved_filters.urls(self.admin_site),
        ]

    # The queue

    def show_queue(self, request: HttpRequest) -> HttpResponse:
        """The answers of one kind that wait for this reviewer."""
        self._check(request)
        narrowed, reviewer = NarrowedQueue.of(request, self), user_of(request)
        rows = narrowed.waiting(request, reviewer).select_related("user", "conversation", "receipt")[:SHOWN]
        compared = _latest()
        by_stream: dict[UUID, list[float]] = {}
        for verdict in compared:
            if verdict.score is not None:
                by_stream.setdefault(verdict.stream_id, []).append(verdict.score)
        context = {
            "title": "Review",
            "queue": narrowed,
            **saved_filters.context_of(request, "verdict"),
            "rows": [(stream, hidden.title_of(stream.conversation, texts=access.may_read(request))) for stream in rows],
            "filed": len(compared),
            "agreement": agreement.alpha(by_stream.values()),
            "several": sum(len(scores) > 1 for scores in by_stream.values()),
        }
        return self._page(request, "queue", context)

    # One answer

    def session(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """An answer with what led to it, where its time went, and the form; a POST files the verdict."""
        self._check(request, reads=True)
        rows = Stream.objects.select_related("user", "conversation", "receipt", "write_times", "answer")
        stream = rows.filter(pk=pk).first()
        if stream is None:
            raise Http404("There is no such stream.")
        narrowed = NarrowedQueue.of(request, self)
        audit.record_reading(request, stream, texts=access.shown(request, stream))
        if request.method == "POST":
            return self._filed(request, stream, narrowed)
        form = VerdictForm(own=Verdict.objects.filter(stream=stream, reviewer=user_of(request)).first())
        return self._session_page(request, stream, narrowed, form)

    def _filed(self, request: HttpRequest, stream: Stream, narrowed: NarrowedQueue) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = VerdictForm(request.POST)
        if not form.is_valid():
            return self._session_page(request, stream, narrowed, form)
        reviewer = user_of(request)
        following = queue.after(narrowed.waiting(request, reviewer), stream)
        Verdict.file(stream, reviewer, **form.said())
        place = f"{reverse('admin:chat_verdict_session', args=[following.pk])}" if following else queue_url()
        return HttpResponseRedirect(f"{place}?{narrowed.query}")

    def _session_page(
        self, request: HttpRequest, stream: Stream, narrowed: NarrowedQueue, form: VerdictForm
    ) -> HttpResponse:
        reviewer = user_of(request)
        holder = ReviewLock.take(stream.pk, reviewer)
        waiting = narrowed.waiting(request, reviewer)
        measured, moments = review.measured(stream)
        turns, is_read = review.turns_to(stream.answer), access.shown(request, stream)
        filed = Verdict.objects.filter(stream=stream).select_related("reviewer").prefetch_related("changes")
        context = {
            "title": "Review of an answer",
            "original": stream,
            "queue": narrowed,
            "form": form,
            "holder": holder,
            "texts": is_read,
            "rows": [message_row(turn, texts=is_read) for turn in turns],
            "facts": facts(measured),
            **timeline(stream, moments),
            "following": queue.after(waiting, stream),
            "before": queue.before(waiting, stream),
            "filed": [verdict_row(verdict) for verdict in filed],
            "scores": SCORES,
            "criteria": CRITERIA,
            "may_file": self.has_add_permission(request),
        }
        return self._page(request, "session", context)

    # Exports

    def export_scores(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """The newest verdicts as Langfuse's scores."""
        return self._export(request, "scores.jsonl", "application/jsonl", scores.json_lines)

    def export_table(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """The newest verdicts as a table."""
        return self._export(request, "verdicts.csv", "text/csv; charset=utf-8", scores.table)

    def _export(
        self, request: HttpRequest, name: str, media_type: str, lines: Callable[[Iterable[Verdict]], Iterator[str]]
    ) -> HttpResponse:
        self._check(request)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
        return HttpResponse("".join(lines(_latest())), content_type=media_type, headers=headers)

    # Both

    def _check(self, request: HttpRequest, *, reads: bool = False) -> None:
        """PermissionDenied for whoever may not see verdicts, or, where a session is read, streams and conversations."""
        needed = ("chat.view_stream", "chat.view_conversation") if reads else ()
        if not (self.has_view_permission(request) and request.user.has_perms(needed)):
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        common = {
            **self.admin_site.each_context(request),
            **access.context_of(request),
            "opts": self.opts,
            "scripts": SCRIPTS,
        }
        return TemplateResponse(request, f"admin/chat/verdict/{name}.html", {**common, **context})


def user_of(request: HttpRequest) -> User:
    """Who reviews."""
    reviewer = request.user
    assert isinstance(reviewer, User)
    return reviewer


def queue_url() -> str:
    """The address of the queue."""
    return reverse("admin:chat_verdict_changelist")


def _latest() -> list[Verdict]:
    return list(Verdict.objects.select_related("reviewer").order_by("-updated_at")[:COMPARED])
