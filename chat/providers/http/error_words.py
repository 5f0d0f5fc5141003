"""The words by which upstreams tell what an error is: statuses, codes, types, reasons, and patterns of messages."""

import re

STATUSES = {
    "INVALID_ARGUMENT": 400,
    "BADREQUESTERROR": 400,
    "FAILED_PRECONDITION": 400,
    "INVALID_REQUEST_ERROR": 400,
    "UNAUTHENTICATED": 401,
    "AUTHENTICATION_ERROR": 401,
    "PERMISSION_DENIED": 403,
    "PERMISSION_ERROR": 403,
    "NOT_FOUND": 404,
    "NOT_FOUND_ERROR": 404,
    "RESOURCE_EXHAUSTED": 429,
    "RATE_LIMIT_ERROR": 429,
    "RATE_LIMIT_EXCEEDED": 429,
    "RATE_LIMITED": 429,
    "TOO_MANY_REQUESTS": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "SERVER_ERROR": 500,
    "INTERNAL_SERVER_ERROR": 500,
    "INTERNALSERVERERROR": 500,
    "UNAVAILABLE": 503,
    "UNAVAILABLE_ERROR": 503,
    "OVERLOADED_ERROR": 503,
    "OVERLOADED": 503,
    "SERVICE_UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    "TIMEOUT_ERROR": 504,
}

NAMED = {
    "too long": {
        "CONTEXT_LENGTH_EXCEEDED",
        "CONTEXT_WINDOW_EXCEEDED",
        "EXCEED_CONTEXT_SIZE_ERROR",
        "REQUEST_TOO_LARGE",
        "STRING_ABOVE_MAX_LENGTH",
        "TOKENS_LIMIT_REACHED",
    },
    "account": {
        "ARREARAGE",
        "BILLING_DISABLED",
        "BILLING_ERROR",
        "BILLING_HARD_LIMIT_REACHED",
        "BILLING_NOT_ACTIVE",
        "CREDITS_EXHAUSTED",
        "EXCEEDED_CURRENT_QUOTA_ERROR",
        "INSUFFICIENT_BALANCE",
        "INSUFFICIENT_QUOTA",
    },
    "key": {
        "ACCOUNT_DEACTIVATED",
        "API_KEY_EXPIRED",
        "API_KEY_HTTP_REFERRER_BLOCKED",
        "API_KEY_INVALID",
        "API_KEY_IP_ADDRESS_BLOCKED",
        "API_KEY_SERVICE_BLOCKED",
        "CONSUMER_INVALID",
        "CONSUMER_SUSPENDED",
        "INVALID_API_KEY",
        "INVALID_AUTHENTICATION_ERROR",
        "INVALID_ISSUER",
        "SERVICE_DISABLED",
        "UNSUPPORTED_COUNTRY_REGION_TERRITORY",
    },
    "model": {
        "INVALID_MODEL",
        "MODEL_DECOMMISSIONED",
        "MODEL_NOT_AVAILABLE",
        "MODEL_NOT_FOUND",
        "MODEL_NOT_FOUND_ERROR",
    },
    "blocked": {
        "CONTENT_FILTER",
        "CONTENT_FILTER_ERROR",
        "CONTENT_POLICY_VIOLATION",
        "DATA_INSPECTION_FAILED",
        "MODERATION_BLOCKED",
        "RESPONSIBLEAIPOLICYVIOLATION",
    },
    "busy": {
        "ENGINE_OVERLOADED_ERROR",
        "RATELIMITEXCEEDED",
        "RATE_LIMITED",
        "RATE_LIMIT_EXCEEDED",
        "THROTTLING",
        "THROTTLING.ALLOCATIONQUOTA",
        "THROTTLING.RATEQUOTA",
        "THROTTLINGEXCEPTION",
        "TOO_MANY_REQUESTS",
        "USERRATELIMITEXCEEDED",
    },
}
"""The codes, types and reasons of each kind; they override the status."""

TOO_LONG = re.compile(
    r"context[ _-]?(length|size|window)|maximum (prompt|context|input) length|max_model_len|model token limit"
    r"|\b(prompt|input|message|request|conversation|inputs?`?|payload|context)\b[^.\n]{0,80}"
    r"\b(too (long|large|many)|exceeds?|exceeded|longer than|greater than|only supports up to|over the (limit|maximum))"
    r"|\btoo many (input |prompt )?tokens|exceeds? max(imum)? (length|tokens)|max_new_tokens`? must be"
    r"|range of input length|reduce (the length|your prompt|the input)|request entity too large",
    re.IGNORECASE,
)
ANSWER_LENGTH = re.compile(r"max(_completion|_output|_new)?_?tokens`?'?\"? (is|are|value|parameter) ", re.IGNORECASE)
"""Messages about the answer's length, which are not about the prompt's."""

LOADING = re.compile(
    r"\bloading (the )?model\b|\bmodel [^.\n]{0,60}\b(is |still |currently )+(being loaded|loading)", re.IGNORECASE
)
"""llama.cpp's "Loading model" and similar messages."""

UNSUPPORTED = re.compile(
    r"no endpoints found that (can )?(support|handle)|\bmodel is not multimodal|not a multimodal model"
    r"|(does not|doesn't|do not) support (tools?|function|images?|vision|audio|multimodal|thinking)\b"
    r"|(image|audio|vision|video) input is not (supported|enabled)|enable-auto-tool-choice|requires --jinja"
    r"|unsupported content (part )?type|unsupported param: tools|image_url is only supported",
    re.IGNORECASE,
)
"""Messages of OpenRouter, Ollama, llama.cpp, vLLM, LM Studio and OpenAI about models that take no photos or tools."""

TOO_LARGE_FOR_QUOTA = re.compile(r"request (is )?too large", re.IGNORECASE)
"""A single request exceeds the quota of a minute, so waiting does not help."""

NO_QUOTA = re.compile(r"\blimit: 0\b")
"""The model is not in Google's free tier."""

A_DAY = re.compile(r"PerDay")
"""Google's `GenerateRequestsPerDayPerProjectPerModel`: the quota of a day, whatever shorter delay the error has."""

SAID = {
    "account": re.compile(
        r"insufficient (balance|credit|fund|quota)|(credit|account) balance|\bbilling\b|out of credits|more credits"
        r"|payment required|in arrears|exceeded your (monthly|current) (quota|budget|spend)"
        r"|monthly (quota|budget|limit)",
        re.IGNORECASE,
    ),
    "busy": re.compile(
        r"rate[ _-]?limit|too many requests|throttl|(requests|tokens) per (second|minute|hour|day)"
        r"|quota (is |was )?exceed",
        re.IGNORECASE,
    ),
    "operator": re.compile(
        r"matching your data policy|no models? (is |are )?loaded|plain HTTP request was sent|SSL certificate error",
        re.IGNORECASE,
    ),
    "unavailable": re.compile(
        r"\boverloaded\b|service (is )?(temporarily )?unavailable|server (is )?(too )?busy", re.IGNORECASE
    ),
    "key": re.compile(
        r"api[ _-]?key|location is not supported|not available in your (country|region)|unsupported country"
        r"|invalid (access )?token|authentication|unauthori[sz]ed|account (is|has been) (disabled|suspended)",
        re.IGNORECASE,
    ),
    "model": re.compile(
        r"model[^.\n]{0,60}\b(not found|does not exist|not exist|unknown|not available|decommissioned|deprecated)"
        r"|(unknown|invalid|unsupported|no such) model\b|not a valid model|pulling it first",
        re.IGNORECASE,
    ),
    "blocked": re.compile(
        r"content (filter|management|policy)|moderation|flagged|inappropriate content", re.IGNORECASE
    ),
}
"""Patterns of messages for each kind, for errors whose code and type name none."""
