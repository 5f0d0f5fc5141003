"""The site: access, accounts and pages. The order is that of docs/settings.md."""

from wondercam.variables.variable import Variable

TITLE = "The site"
INTRODUCTION = ""

VARIABLES = (
    Variable(
        "DEBUG",
        None,
        (
            "Development: keys are made by themselves, guests may chat, plain HTTP is enough, error pages show "
            "details. Never turn it on where strangers can reach the server"
        ),
        shown="off; on in a folder that `make run` has set up, as long as no `SECRET_KEY` is set",
        example="0",
        wrong="anything but a switch",
    ),
    Variable(
        "SECRET_KEY",
        None,
        "Signs sessions and forms. Make one with `openssl rand -base64 48`",
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
        "The names under which the site is reached; a request for another name is refused",
        wrong="a name with `https://` or a port; `*` without `DEBUG`",
    ),
    Variable(
        "WONDERCAM_HTTPS",
        None,
        (
            "The site is reached over HTTPS: cookies are sent over HTTPS only, HTTP is sent on to HTTPS, "
            "browsers are told to remember it. Turn it off to try production settings over plain HTTP"
        ),
        shown="on without `DEBUG`, once `ALLOWED_HOSTS` names a host beside this machine",
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_HSTS_PRELOAD",
        False,
        "Adds `preload` to the rule browsers remember. Hard to take back: read about HSTS preloading first",
        wrong="anything but a switch",
    ),
    Variable(
        "CSRF_TRUSTED_ORIGINS",
        None,
        (
            "List of origins whose forms are accepted, such as `https://chat.example.com`; needed where a proxy"
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
            "Who may make an account: everybody (`open`), whoever has a link that `manage.py invite` printed "
            "(`invite`), or nobody (`closed`: `manage.py createsuperuser` and the admin make them)"
        ),
        shown="`open` where `WONDERCAM_GUESTS` is on unless set otherwise, else `closed`",
        wrong="anything else",
    ),
    Variable(
        "WONDERCAM_REVIEW_TEXTS",
        True,
        (
            "Off hides what people and models wrote from everybody in the admin, superusers and the search there "
            "included: times and structure are left"
        ),
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_REVIEW_REASON",
        False,
        (
            "On asks whoever reads somebody else's chat in the admin for a reason, which goes into the audit log; for "
            "an answer in the reviewer's queue the queue is the reason. Lists then show no titles"
        ),
        wrong="anything but a switch",
    ),
    Variable(
        "WONDERCAM_EMAIL_URL",
        None,
        (
            "The server that sends mails, which are links to reset a password: `smtp://user:password@host:587` "
            "(STARTTLS) or `smtps://…` (TLS). Without it they are printed on standard output, for the operator to pass "
            "on"
        ),
        shown="none",
        wrong="anything else",
    ),
    Variable("WONDERCAM_EMAIL_FROM", "wondercam@localhost", "Whom mails come from"),
    Variable(
        "WONDERCAM_OIDC_URL",
        None,
        (
            "The OpenID Connect provider by which people sign in, such as `https://id.example.com/realms/team`; it "
            "sends them back to `/accounts/oidc/sso/login/callback/`. `manage.py migrate` once after it was set"
        ),
        shown="none",
        wrong="no http or https address; one of the next two missing",
    ),
    Variable("WONDERCAM_OIDC_CLIENT_ID", None, "This site's name at that provider", shown="none"),
    Variable("WONDERCAM_OIDC_CLIENT_SECRET", None, "Its secret there", shown="none"),
    Variable(
        "WONDERCAM_SECOND_FACTOR",
        "off",
        (
            "Whether the admin asks for a one-time code of an app beside the sign-in: `off`, `optional` (of staff who"
            " have set one up there) or `staff` (all of them set one up at their next visit). `manage.py migrate` once"
            " after it was set"
        ),
        wrong="anything else",
    ),
    Variable(
        "WONDERCAM_PUSH_KEY",
        None,
        (
            "The key by which browsers' push services know this site: with it a browser may be told that an answer has "
            "ended while nobody looks at the page. `manage.py make_push_keys` prints it and the next one"
        ),
        shown="none: Web Push is off",
        wrong="no key; the next one missing",
    ),
    Variable(
        "WONDERCAM_PUSH_CONTACT",
        None,
        "Whom a push service may write to about it: `mailto:you@example.com` or an https address",
        shown="none",
        wrong="anything else; the key missing",
    ),
    Variable("WONDERCAM_OIDC_NAME", "single sign-on", "What the sign-in page calls the provider"),
)
