"""The site: access, accounts and pages. The order is that of docs/settings.md."""

from wondercam.variables.variable import Variable

TITLE = "The site"
INTRODUCTION = ""

VARIABLES = (
    Variable(
        "DEBUG",
        None,
        (
            "For development: keys are created automatically, guests may chat, plain HTTP is enough, error pages show "
            "details. Never turn it on where strangers can reach the server"
        ),
        shown="off; on in a folder that `make run` has set up, as long as no `SECRET_KEY` is set",
        example="0",
        wrong="anything but a switch",
    ),
    Variable(
        "SECRET_KEY",
        None,
        "Signs sessions and forms. Create one with `openssl rand -base64 48`",
        shown="with `DEBUG`, and in the wheel: made once, kept in the data folder",
        wrong="missing in a checkout without `DEBUG`; shorter than 32 bytes",
    ),
    Variable(
        "JWT_SIGNING_KEY",
        None,
        "Signs the tokens of the API. Changing it signs everybody out",
        shown="with `DEBUG`, and in the wheel: made once, kept in the data folder",
        wrong="missing in a checkout without `DEBUG`; shorter than 32 bytes; equal to `SECRET_KEY`",
    ),
    Variable(
        "ALLOWED_HOSTS",
        "127.0.0.1,localhost,[::1]",
        "The host names of the site; a request for another name is refused",
        wrong="a name with `https://` or a port; `*` without `DEBUG`",
    ),
    Variable(
        "WONDERCAM_HTTPS",
        None,
        (
            "The site is served over HTTPS: cookies are sent over HTTPS only, HTTP is redirected to HTTPS, and "
            "browsers remember it (HSTS). Turn it off to try production settings over plain HTTP"
        ),
        shown="on without `DEBUG`, once `ALLOWED_HOSTS` names a host beside this machine",
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_HSTS_PRELOAD",
        False,
        "Adds `preload` to the HSTS header. This is hard to revert: read about HSTS preloading first",
        wrong="anything but a switch",
    ),
    Variable(
        "CSRF_TRUSTED_ORIGINS",
        None,
        (
            "List of origins whose forms are accepted, such as `https://chat.example.com`; needed behind a proxy that"
            " changes the host"
        ),
        shown="none",
        wrong="an origin without a scheme fails Django's check",
    ),
    Variable(
        "CORS_ALLOWED_ORIGINS",
        None,
        ("List of origins whose pages may call the API with a Bearer token, such as `https://app.example.com`"),
        shown="none",
        wrong="`*` and `null`",
    ),
    Variable(
        "WONDERCAM_GUESTS",
        None,
        "A visitor without an account may chat",
        shown="as `DEBUG`; on in the wheel, too, while neither `SECRET_KEY` nor another host in `ALLOWED_HOSTS` is set",
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_SIGNUP",
        None,
        (
            "Who may create an account: everybody (`open`), whoever has a link from `manage.py invite` (`invite`), or "
            "nobody (`closed`: accounts are created by `manage.py createsuperuser` and in the admin)"
        ),
        shown="`open` where `WONDERCAM_GUESTS` is on unless set otherwise, else `closed`",
        wrong="anything else",
    ),
    Variable(
        "WONDERCAM_REVIEW_TEXTS",
        True,
        (
            "Off hides the texts of people and models from everybody in the admin, including superusers and its "
            "search; times and structure are still shown"
        ),
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_REVIEW_REASON",
        False,
        (
            "On requires a reason to read another user's chat in the admin, which is written to the audit log; for an "
            "answer in the reviewer's queue the queue is the reason. Lists then show no titles"
        ),
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_EMAIL_URL",
        None,
        (
            "The server for mails with links to reset a password: `smtp://user:password@host:587` (STARTTLS) or "
            "`smtps://…` (TLS). Without it they are printed on standard output, for the operator to pass on"
        ),
        shown="none",
        wrong="anything else",
    ),
    Variable("WONDERCAM_EMAIL_FROM", "wondercam@localhost", "The sender of mails"),
    Variable(
        "WONDERCAM_OIDC_URL",
        None,
        (
            "The OpenID Connect provider for single sign-on, such as `https://id.example.com/realms/team`; its "
            "redirect URI is `/accounts/oidc/sso/login/callback/`. Run `manage.py migrate` once after setting it"
        ),
        shown="none",
        wrong="not an http or https URL; one of the next two missing",
    ),
    Variable("WONDERCAM_OIDC_CLIENT_ID", None, "This site's client id at that provider", shown="none"),
    Variable("WONDERCAM_OIDC_CLIENT_SECRET", None, "The client's secret", shown="none"),
    Variable(
        "WONDERCAM_SECOND_FACTOR",
        "off",
        (
            "Whether the admin requires a one-time code from an app after the sign-in: `off`, `optional` (from staff "
            "who have set one up there) or `staff` (from all staff, who set one up at their next visit). Run"
            " `manage.py migrate` once after setting it"
        ),
        wrong="anything else",
    ),
    Variable(
        "WONDERCAM_PUSH_KEY",
        None,
        (
            "The key that identifies this site to browsers' push services, for notifications of answers that end while "
            "the page is not visible. `manage.py make_push_keys` prints it and the next one"
        ),
        shown="none: Web Push is off",
        wrong="not such a key; the next one missing",
    ),
    Variable(
        "WONDERCAM_PUSH_CONTACT",
        None,
        "The operator's address for push services: `mailto:you@example.com` or an https URL",
        shown="none",
        wrong="anything else; the key missing",
    ),
    Variable("WONDERCAM_OIDC_NAME", "single sign-on", "The provider's name on the sign-in page"),
)
