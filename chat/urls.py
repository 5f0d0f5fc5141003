"""The sitemap of the chat: the API and what monitors ask."""

from django.urls import include, path

from chat.views import attachments, auth, conversations, echat, health, models, streams

api = [
    path("auth/token", auth.token),
    path("auth/refresh", auth.refresh),
    path("auth/logout", auth.logout),
    path("auth/guest", auth.guest),
    path("auth/session", auth.session),
    path("tickets", auth.tickets),
    path("echat", echat.echat),
    path("chat", echat.chat),
    path("streams/<uuid:stream_id>", streams.follow),
    path("streams/<uuid:stream_id>/stop", streams.stop),
    path("conversations", conversations.index),
    path("conversations/<uuid:conversation_id>", conversations.one),
    path("attachments", attachments.create),
    path("attachments/<uuid:attachment_id>", attachments.show),
    path("models", models.index),
]
urlpatterns = [
    path("v2/", include(api)),
    path("healthz", health.alive),
    path("readyz", health.ready),
]
