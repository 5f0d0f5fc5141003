"""The admin of verdicts: the queues of answers, a page for each answer, and the exports.

    queue (keys j, k, Enter) ── the session page (1 to 5, n, p, Ctrl+Enter) ── verdict ── the next answer in the queue

An opened answer is locked for its reviewer for a while; others see who has it.
"""

from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from chat import review
from chat.accounts import audit
from chat.admin import access, comparison, hidden, saved_filters
from chat.admin.display import facts, message_row, verdict_row
from chat.admin.narrowed_queue import NarrowedQueue
from chat.admin.timeline import timeline
from chat.admin.verdict_form import VerdictForm
from chat.admin.verdict_pages import VerdictPages, user_of
from chat.models import ReviewLock, Stream, Verdict
from chat.models.verdicts import CRITERIA, SCORES
from chat.verdicts import agreement, pairs, queue, scores

SHOWN = 50
"""The most answers of a queue that are listed."""

COMPARED = 5_000
"""The most verdicts, the newest, in the agreement and in exports."""


@admin.register(Verdict)
class VerdictAdmin(VerdictPages):
    """The queue, instead of a list of verdicts."""

    folder = "verdict"

    def get_urls(self) -> list[URLPattern]:
        """Return the URLs of the queue, an answer's page, the exports, and the saved filters of all lists."""
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
        """Show the answers of one kind that wait for this reviewer."""
        self.check_rights(request)
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
        return self.page(request, "queue", context)

    # One answer

    def session(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Show an answer with the messages before it, its timeline, and the form; a POST stores the verdict."""
        self.check_rights(request, reads=True)
        rows = Stream.objects.select_related("user", "conversation", "receipt", "write_times", "answer")
        stream = rows.filter(pk=pk).first()
        if stream is None:
            raise Http404("There is no such stream.")
        narrowed = NarrowedQueue.of(request, self)
        if narrowed.waiting(request, user_of(request)).filter(pk=stream.pk).exists():
            access.take_from_queue(request, stream, narrowed.kind)
        texts = access.shown(request, stream)
        audit.record_reading(request, stream, texts=texts, why=access.reason(request, stream))
        own = Verdict.objects.filter(stream=stream, reviewer=user_of(request)).first()
        form = VerdictForm(request.POST if request.method == "POST" else None, own, texts=texts)
        if request.method == "POST":
            return self._filed(request, stream, narrowed, form)
        return self._session_page(request, stream, narrowed, form)

    def _filed(self, request: HttpRequest, stream: Stream, narrowed: NarrowedQueue, form: VerdictForm) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
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
            **access.context_of(request, stream),
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
            "filed": [verdict_row(verdict, texts=is_read) for verdict in filed],
            "reruns": comparison.reruns(stream),
            "other_answers": comparison.other_answers(stream),
            "may_compare": is_read,
            "scores": SCORES,
            "criteria": CRITERIA,
            "may_file": self.has_add_permission(request),
        }
        return self.page(request, "session", context)

    # Exports

    def export_scores(self, request: HttpRequest) -> HttpResponse:
        """Return the newest verdicts, also those on pairs, as Langfuse's scores."""
        lines = scores.json_lines(self.noted(request, _latest()), self.noted(request, pairs.latest()))
        return self.export(request, "scores.jsonl", "application/jsonl", lines)

    def export_table(self, request: HttpRequest) -> HttpResponse:
        """Return the newest verdicts as CSV."""
        return self.export(
            request, "verdicts.csv", "text/csv; charset=utf-8", scores.table(self.noted(request, _latest()))
        )


def queue_url() -> str:
    """Return the URL of the queue."""
    return reverse("admin:chat_verdict_changelist")


def _latest() -> list[Verdict]:
    return list(Verdict.objects.select_related("reviewer").order_by("-updated_at")[:COMPARED])
