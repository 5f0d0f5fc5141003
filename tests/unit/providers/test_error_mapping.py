"""Mapping of upstream errors: kind, retry delay, and none of the upstream's text."""

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chat.protocol import errors
from chat.providers.http.error_mapping import refused
from chat.providers.http.retry_delay import in_headers, retry_after

NUMBERS: list[tuple[str | None, int | None]] = [
    ("7", 7),
    (" 7 ", 7),
    ("0", 0),
    ("99999", 3600),
    ("-7", None),
    ("1.5", 2),
    (".5", None),
    ("7s", None),
]
NUMBERS += [("", None), (None, None), ("soon", None), ("٣", None), ("9" * 5000, None), ("Fri, 99 Foo 2026", None)]


@pytest.mark.parametrize(("header", "seconds"), NUMBERS)
def test_a_retry_after_is_whole_seconds_or_nothing(header: str | None, seconds: int | None) -> None:
    assert retry_after(header) == seconds


@pytest.mark.parametrize(("ahead", "least", "most"), [(30, 29, 31), (-500, 0, 0), (90_000, 3600, 3600)])
def test_a_retry_after_may_be_a_date(ahead: int, least: int, most: int) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=ahead)
    for header in (format_datetime(moment, usegmt=True), moment.strftime("%A, %d-%b-%y %H:%M:%S GMT")):
        assert least <= (retry_after(header) or 0) <= most


KINDS = [
    ({"code": 503, "status": "UNAVAILABLE"}, 200, errors.Unavailable),
    ({"code": "429"}, 200, errors.ResourceExhausted),
    ({"code": 14, "status": "UNAVAILABLE"}, 0, errors.Unavailable),
    ({"code": 14}, 429, errors.ResourceExhausted),
    ({"code": 1301, "message": "x"}, 401, errors.PermissionDenied),
    ({"code": True}, 404, errors.NotFound),
    ({"type": "rate_limit_error"}, 0, errors.ResourceExhausted),
    ({"type": "invalid_request_error", "code": "context_length_exceeded"}, 400, errors.TooLarge),
    ({"code": 400, "type": "exceed_context_size_error"}, 400, errors.TooLarge),
    ({"code": None, "type": None}, 529, errors.Unavailable),
    ({}, 418, errors.InvalidArgument),
    ({"code": 200}, 0, errors.Internal),
    ("a text", 0, errors.Internal),
    (["a", "list"], 503, errors.Unavailable),
    (None, 504, errors.DeadlineExceeded),
]


@pytest.mark.parametrize(("error", "code", "kind"), KINDS)
def test_the_kind_is_by_their_code_where_it_is_one_else_by_the_status(error: object, code: int, kind: type) -> None:
    assert type(refused(error, "X", code)) is kind


WAITS = [
    ("Rate limit reached for m on tokens per minute (TPM): Limit 6. Please try again in 7.66s. Visit x", 8),
    ("Please try again in 1h2m3.5s.", 3600),
    ("Please try again in 7m12s.", 432),
    ("Please try again in 320ms.", 1),
    ("Requests have exceeded token rate limit. Please retry after 58 seconds.", 58),
    ("Please try again later.", None),
    ("Try again in a moment", None),
]


@pytest.mark.parametrize(("said", "seconds"), WAITS)
def test_a_wait_that_only_the_sentence_names_is_kept(said: str, seconds: int | None) -> None:
    error = refused({"message": said, "code": 429}, "X")
    assert isinstance(error, errors.ResourceExhausted)
    assert error.retry_after == seconds


def test_milliseconds_count_before_seconds() -> None:
    assert in_headers({"retry-after-ms": "20500", "Retry-After": "1"}) == 21
    assert in_headers({"retry-after-ms": "soon", "Retry-After": "7"}) == 7


SAID = [
    ({"object": "error", "message": "Requests rate limit exceeded", "type": "rate_limited", "code": "1300"}, 429),
    ({"object": "error", "message": "Service unavailable.", "type": "service_unavailable", "code": "3500"}, 503),
    ({"message": "Rate limit exceeded"}, 429),
    ({"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded, please try again later."}, 429),
    ({"message": "Incorrect API key provided"}, 403),
    ({"code": 1008, "message": "insufficient balance"}, 403),
    ({"message": "The engine is currently overloaded"}, 503),
    ({"message": "model is loading"}, 503),
    ({"message": "The prompt is too long: 9 tokens > 8 maximum"}, 413),
    ({"message": "it exceeded something"}, 500),
    ({"message": "it broke"}, 500),
]


@pytest.mark.parametrize(("error", "code"), SAID)
def test_an_error_in_a_stream_is_told_by_what_it_says(error: dict[str, object], code: int) -> None:
    assert refused(error, "X").code == code


def test_a_quota_of_the_day_does_not_come_back_in_seconds() -> None:
    violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "50"}
    details = [{"@type": "QuotaFailure", "violations": [violation]}, {"@type": "RetryInfo", "retryDelay": "7s"}]
    error = refused({"code": 429, "message": "You exceeded your current quota", "details": details}, "X")
    assert (error.code, error.retry_after) == (429, 3600)
    assert "today" in error.message


def test_googles_own_delay_counts_where_no_header_says_more() -> None:
    details = {"code": 429, "details": [{"@type": "RetryInfo", "retryDelay": "12.5s"}, "junk", {"retryDelay": 7}]}
    assert refused(details, "X").retry_after == 13
    assert refused(details, "X", 429, 40).retry_after == 40
    assert refused({"code": 429, "details": {"retryDelay": "5s"}}, "X").retry_after is None


@pytest.mark.parametrize("field", ["status", "type", "code", "message"])
def test_none_of_their_words_reaches_a_log_or_an_error(field: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    error = refused({field: "sk-very-secret"}, "X", 400)
    assert "secret" not in error.message + caplog.text
