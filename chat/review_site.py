"""The admin's site: what is in it, and the second factor that it asks for (`WONDERCAM_SECOND_FACTOR`).

A password opens one's own chats; what belongs to others is behind a code as well. It is asked for once a session, after
the sign-in, whichever way that was: the session then names the row of the app whose code it was, so that a factor that
was removed or set up anew counts for nothing. (No part of `chat/admin/`: Django makes the site while that is imported.)
"""

import base64
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from chat import limits
from chat.accounts import audit
from chat.models import User

NOT_SHOWN = {"account", "mfa", "socialaccount", "token_blacklist"}
"""Apps whose pages would show secrets, or refresh tokens: nobody needs to read another's."""
PASSED = "second_factor"
SECRET = "second_factor_secret"  # noqa: S105 (a name in the session)
OFF, OPTIONAL, STAFF = "off", "optional", "staff"
WRONG = "This code is not valid, or was used already: wait for the next one."
WRONG_PASSWORD = "This is not your password."  # noqa: S105 (a sentence)


class ReviewSite(AdminSite):
    """Django's, behind a second factor where there is one."""

    site_header = site_title = "WonderCam review"
    index_title = "What was asked, and how it was answered"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """All but what is not shown."""
        models: Any = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        super().register([model for model in models if model._meta.app_label not in NOT_SHOWN], admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the user is staff and, if a second factor is set up or required, has passed it in this session."""
        return super().has_permission(request) and not self.waits(request)

    def waits(self, request: HttpRequest) -> bool:
        """Whether the user first has to enter a code, or to set up a second factor."""
        if settings.SECOND_FACTOR == OFF:
            return False
        from chat.accounts import second_factor

        row = second_factor.of(int(request.user.pk or 0))
        return bool(settings.SECOND_FACTOR == STAFF if row is None else request.session.get(PASSED) != row.pk)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the page of the second factor, if it is on."""
        if settings.SECOND_FACTOR == OFF:
            return super().get_urls()
        return [path("second-factor/", self.second_factor, name="second_factor"), *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the sign-in form; redirect a signed-in user who still has to enter a code to the page for it."""
        if request.method == "GET" and super().has_permission(request) and self.waits(request):
            query = urlencode({"next": request.GET.get("next", "")})
            return HttpResponseRedirect(f"{reverse('admin:second_factor')}?{query}")
        return super().login(request, extra_context)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add whether there is a page for the second factor."""
        return {**super().each_context(request), "second_factor_is_on": settings.SECOND_FACTOR != OFF}

    # The page of the second factor

    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Set up an app, enter a code, or, once that is done, replace the recovery codes or remove the factor."""
        from chat.accounts import second_factor

        if not super().has_permission(request):
            return HttpResponseRedirect(reverse("admin:login"))
        user: Any = request.user
        row = second_factor.of(user.pk)
        if row is None:
            return self._set_up(request, user)
        if request.session.get(PASSED) != row.pk:
            return self._show(request, user, row)
        return self._change(request, user)

    def _show(self, request: HttpRequest, user: User, row: Any) -> HttpResponse:
        from chat.accounts import second_factor

        if request.method == "POST":
            if second_factor.takes(user, request.POST.get("code", "")):
                audit.record_sign_in(request, user)
                return self._passed(request, row)
            return self._page(request, "code", error=WRONG)
        return self._page(request, "code")

    def _set_up(self, request: HttpRequest, user: User) -> HttpResponse:
        from chat.accounts import second_factor

        secret = request.session.setdefault(SECRET, second_factor.new_secret())
        error = ""
        if request.method == "POST":
            if user.has_usable_password() and not user.check_password(request.POST.get("password", "")):
                error = WRONG_PASSWORD
            elif row := second_factor.set_up(user, secret, request.POST.get("code", ""), limits.address(request)):
                del request.session[SECRET]
                self._passed(request, row)
                return self._page(request, "codes", codes=second_factor.new_recovery_codes(user))
            else:
                error = WRONG
        address, picture = second_factor.address_for_app(user, secret)
        image = f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"
        spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        return self._page(request, "set up", error=error, address=address, image=image, secret=spaced)

    def _change(self, request: HttpRequest, user: User) -> HttpResponse:
        from chat.accounts import second_factor

        error, choice = "", request.POST.get("choice", "")
        if request.method == "POST":
            if not second_factor.takes(user, request.POST.get("code", "")):
                error = WRONG
            elif choice == "codes":
                return self._page(request, "codes", codes=second_factor.new_recovery_codes(user))
            elif choice == "remove" and settings.SECOND_FACTOR == OPTIONAL:
                second_factor.remove(user, who=user, address=limits.address(request))
                return HttpResponseRedirect(reverse("admin:index"))
        left = second_factor.recovery_codes_left(user)
        return self._page(request, "change", error=error, left=left, may_remove=settings.SECOND_FACTOR == OPTIONAL)

    def _passed(self, request: HttpRequest, row: Any) -> HttpResponse:
        request.session.cycle_key()
        request.session[PASSED] = row.pk
        back = request.GET.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        return HttpResponseRedirect(back if is_ours else reverse("admin:index"))

    def _page(self, request: HttpRequest, step: str, **context: Any) -> HttpResponse:
        status = 403 if context.get("error") else 200
        shown = {**self.each_context(request), "title": "Second factor", "step": step, **context}
        return TemplateResponse(request, "admin/second_factor.html", shown, status=status)
