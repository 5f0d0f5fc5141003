"""The URL configuration of the site."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView
from django.views.i18n import set_language

from chat.views.auth import limited

urlpatterns = [
    path("admin/login/", limited(admin.site.login)),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("", include("chat.urls")),
]
if settings.SECOND_FACTOR != "off":
    review: Any = admin.site
    urlpatterns.insert(0, path("admin/second-factor/", limited(review.second_factor, of_user=True)))
if settings.SINGLE_SIGN_ON:
    failed = TemplateView.as_view(template_name="socialaccount/authentication_error.html")
    urlpatterns += [
        path("accounts/", include("allauth.socialaccount.providers.openid_connect.urls")),
        path("accounts/oidc/failed/", failed, name="socialaccount_login_error"),
        path("accounts/oidc/cancelled/", failed, name="socialaccount_login_cancelled"),
        path("accounts/oidc/inactive/", failed, name="account_inactive"),
    ]
handler400 = "chat.views.errors.bad_request"
handler403 = "chat.views.errors.forbidden"
handler404 = "chat.views.errors.not_found"
handler405 = "chat.views.errors.not_allowed"
handler500 = "chat.views.errors.failed"
