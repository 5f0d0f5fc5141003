"""Sign up, in and out, by Django's own views. A guest who signs up keeps the account with its chats; the chats of a
guest who signs in move to that account."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from chat import limits
from chat.accounts import audit, guests
from chat.models import Invitation, User

CLOSED = _("On this site accounts are made by its operator: ask there for one.")
UNINVITED = _("On this site accounts are made by invitation: open the link you were sent, or ask the operator for one.")
UNKNOWN = _("This invitation is unknown, was used already or has expired: ask for a new one.")


class SignUpForm(UserCreationForm):  # type: ignore[type-arg]
    """A name, a password, and optionally an e-mail address for resetting it."""

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "email")
        help_texts: ClassVar[dict[str, Any]] = {
            "email": _("If you give one, a forgotten password can be reset by a mail.")
        }


class SignUp(FormView):  # type: ignore[type-arg]
    """`/accounts/signup/`."""

    template_name = "accounts/signup.html"
    form_class = SignUpForm
    success_url = reverse_lazy("page")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The form, or why it is not open to this visitor (`WONDERCAM_SIGNUP`)."""
        if settings.SIGNUP == "closed":
            return closed(request, _("Accounts are not open"), CLOSED)
        if settings.SIGNUP == "invite" and self.invitation is None:
            return closed(request, _("An invitation is needed"), UNKNOWN if "invitation" in request.GET else UNINVITED)
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def invitation(self) -> Invitation | None:
        """The invitation of the link, if it can still be used."""
        return Invitation.find(self.request.GET.get("invitation", ""))

    def get_form_kwargs(self) -> dict[str, Any]:
        """A guest's form fills in the guest's own account."""
        kwargs = super().get_form_kwargs()
        user = self.request.user
        if user.is_authenticated and user.is_guest:
            # A copy: a refused form must not leave its changes on the request's user.
            kwargs["instance"] = User.objects.get(pk=user.pk)
            kwargs["initial"] = {"username": ""}
        return kwargs

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        """Save the account and sign in. An invitation can be used once."""
        form.instance.is_guest = False
        with transaction.atomic():
            user = form.save()
            if settings.SIGNUP == "invite" and not (self.invitation and self.invitation.use(user)):
                transaction.set_rollback(True)
                return closed(self.request, _("An invitation is needed"), UNKNOWN)
            if settings.SIGNUP == "invite":
                address = limits.address(self.request)
                audit.record(audit.Action.INVITED, who=user, target=str(self.invitation), address=address)
        login(self.request, user, backend="django.contrib.auth.backends.ModelBackend")
        return super().form_valid(form)


def closed(request: HttpRequest, heading: Any, sentence: Any) -> HttpResponse:
    """A page that says why there is no form."""
    return render(request, "accounts/closed.html", {"heading": heading, "sentence": sentence}, status=403)


class SignIn(LoginView):
    """`/accounts/signin/`; the number of attempts is limited in the URL configuration."""

    template_name = "accounts/signin.html"

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in, and move the chats of the visitor's guest account to this one."""
        account: Any = form.get_user()
        guests.take_along(self.request.user, account)
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether signing up, guests and single sign-on are available."""
        open_to = {"signup_is_open": settings.SIGNUP == "open", "guests_are_on": settings.GUESTS}
        return super().get_context_data(**open_to, single_sign_on=settings.SINGLE_SIGN_ON, **kwargs)


class SignOut(LogoutView):
    """`/accounts/signout/`, by POST."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Clear the browser's storage, which has the user's drafts (ASVS 14.3.1)."""
        response = super().post(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"storage"'
        return response
