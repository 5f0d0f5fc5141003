"""The sitemap of the site."""

from django.contrib import admin
from django.urls import include, path

from chat.views.auth import limited

urlpatterns = [
    path("admin/login/", limited(admin.site.login)),
    path("admin/", admin.site.urls),
    path("", include("chat.urls")),
]
handler400 = "chat.views.errors.bad_request"
handler403 = "chat.views.errors.forbidden"
handler404 = "chat.views.errors.not_found"
handler405 = "chat.views.errors.not_allowed"
handler500 = "chat.views.errors.failed"
