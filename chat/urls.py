"""The sitemap of the chat: its pages, the API, and what monitors ask."""

from uuid import UUID

from django.urls import include, path, re_path, register_converter
from django.urls.converters import UUIDConverter

from chat.protocol import completion_chunks, openai_responses
from chat.views import (
    accounts,
    attachments,
    auth,
    conversation_export,
    conversations,
    echat,
    errors,
    feeds,
    gemini,
    health,
    installable,
    keys,
    me,
    message_queue,
    messages,
    metrics,
    models,
    openai,
    openapi,
    own_account,
    passwords,
    probe,
    push,
    receipts,
    responses,
    streams,
)
from chat.views.page import page

OF_ANSWERS = (completion_chunks.PREFIX, openai_responses.PREFIX)


class StreamId(UUIDConverter):
    """A stream's id, or the id that an answer of it has in OpenAI's APIs."""

    regex = rf"(?:{UUIDConverter.regex}|(?:{'|'.join(OF_ANSWERS)})[0-9a-f]{{32}})"

    def to_python(self, value: str) -> UUID:
        """The stream's id."""
        return UUID(value[-32:] if value.startswith(OF_ANSWERS) else value)


register_converter(StreamId, "stream")

api = [
    path("auth/token", auth.token),
    path("auth/refresh", auth.refresh),
    path("auth/logout", auth.logout),
    path("auth/guest", auth.guest),
    path("auth/session", auth.session),
    path("tickets", auth.ticket),
    path("me", me.index),
    path("me/export", me.export),
    path("keys", keys.index),
    path("keys/<uuid:key_id>", keys.one),
    path("push", push.index),
    path("echat", echat.echat),
    path("chat", echat.chat),
    path("streams/<stream:stream_id>", streams.follow),
    path("streams/<stream:stream_id>/stop", streams.stop),
    path("streams/<stream:stream_id>/receipt", receipts.create),
    path("conversations", conversations.index),
    path("conversations/<uuid:conversation_id>", conversations.one),
    path("conversations/<uuid:conversation_id>/export", conversation_export.export),
    path("conversations/<uuid:conversation_id>/queue", message_queue.index),
    path("conversations/<uuid:conversation_id>/queue/<uuid:message_id>", message_queue.one),
    path("conversations/<uuid:conversation_id>/queue/<uuid:message_id>/now", message_queue.now),
    path("messages/<uuid:message_id>/feedback", messages.feedback),
    path("conversations/<uuid:conversation_id>/events", feeds.of_conversation),
    path("feed", feeds.feed),
    path("attachments", attachments.create),
    path("attachments/<uuid:attachment_id>", attachments.one),
    path("models", models.index),
    path("probe", probe.probe),
    path("openapi.json", openapi.show),
]
account_pages = [
    path("signup/", auth.limited(accounts.SignUp.as_view(), "signup"), name="signup"),
    path("signin/", auth.limited(accounts.SignIn.as_view()), name="signin"),
    path("signout/", accounts.SignOut.as_view(), name="signout"),
    path("", own_account.own, name="own"),
    path("password/", auth.limited(passwords.PasswordChange.as_view(), of_user=True), name="password"),
    path("email/", auth.limited(passwords.Email.as_view(), of_user=True), name="email"),
    path("reset/", auth.limited(passwords.Reset.as_view(), "reset", "email"), name="reset"),
    path("reset/sent/", passwords.ResetSent.as_view(), name="reset-sent"),
    path("reset/new/", auth.limited(passwords.NewPassword.as_view()), name="reset-new"),
    path("export/", own_account.export, name="export"),
    path("delete/", auth.limited(own_account.Delete.as_view(), of_user=True), name="delete"),
]
gemini_api = [
    path("models", gemini.index),
    # Vercel's AI SDK leaves `models/` out where a model's name has a slash.
    re_path(rf"^(?:models/)?(?P<model>.+):(?P<method>{'|'.join(gemini.METHODS)})$", gemini.generate),
    re_path(rf"^(?:models/)?(?P<model>.+):{gemini.COUNT}$", gemini.count_tokens),
    path("models/<path:model>", gemini.one),
]
urlpatterns = [
    path("", page, name="page"),
    path("c/<uuid:conversation_id>", page, name="conversation"),
    path("accounts/", include((account_pages, "accounts"))),
    path("v1beta/", include(gemini_api)),
    path("v1alpha/", include(gemini_api)),
    path("v1/chat/completions", openai.complete),
    path("v1/responses", responses.create),
    path("v1/responses/input_tokens", responses.count_tokens),
    path("v1/responses/<str:response_id>", responses.one),
    path("v1/responses/<str:response_id>/cancel", responses.cancel),
    path("v1/", include(gemini_api)),  # what newer SDKs of Google's ask by default; its models are OpenAI's, too
    path("v2/", include(api)),
    path("manifest.webmanifest", installable.manifest, name="manifest"),
    path("service-worker.js", installable.service_worker),
    path("offline", installable.offline, name="offline"),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", metrics.show),
    re_path("^v[0-9]+(?:(?:alpha|beta)[0-9]*)?/", errors.nowhere),
]
