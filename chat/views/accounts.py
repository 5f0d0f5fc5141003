"""Sign up, in and out, in Django's own manner. A guest who signs up keeps the account, and so the chats."""

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.views.generic import FormView

from chat.models import User


class SignUpForm(UserCreationForm):  # type: ignore[type-arg]
    """A name and a password."""

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username",)


class SignUp(FormView):  # type: ignore[type-arg]
    """`/accounts/signup/`."""

    template_name = "accounts/signup.html"
    form_class = SignUpForm
    success_url = reverse_lazy("page")

    def get_form_kwargs(self) -> dict[str, Any]:
        """A guest's own account is what the form fills in."""
        kwargs = super().get_form_kwargs()
        user = self.request.user
        if user.is_authenticated and user.is_guest:
            # A copy: a refused form must not leave its changes on the request's user.
            kwargs["instance"] = User.objects.get(pk=user.pk)
            kwargs["initial"] = {"username": ""}
        return kwargs

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        """Save the account and sign in."""
        form.instance.is_guest = False
        login(self.request, form.save(), backend="django.contrib.auth.backends.ModelBackend")
        return super().form_valid(form)


class SignIn(LoginView):
    """`/accounts/signin/`; tries are limited where the sitemap names it."""

    template_name = "accounts/signin.html"


class SignOut(LogoutView):
    """`/accounts/signout/`, by POST."""
