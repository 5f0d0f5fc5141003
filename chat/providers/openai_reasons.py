"""Finish reasons of chat completions as Gemini's finishReasons.

OpenAI has five; servers and gateways send those of the model's own API, in any spelling, or words of their own.
"""

import re

from chat.providers.validation import NO_ANSWER, REFUSALS

NONE = ("", "none", "null", "false", "finish_reason_unspecified")
BROKEN_OFF = "BROKEN_OFF"
"""No finishReason: the server could not finish the answer."""

WORDS = {
    "SAFETY": r"filter|sensitive|safety|refus|guardrail|moderation|toxic",
    BROKEN_OFF: r"abort|cancel|error|time_?out|overload|unavailable|insufficient|^(un)?load$",
    # vLLM, OpenRouter, Zhipu, DeepSeek; Ollama, where it only loads the model, or lets it go
    "MAX_TOKENS": r"length|max_?(output_?)?tokens|token_limit|context_window",
    "UNEXPECTED_TOOL_CALL": r"tool|function",
    "STOP": r"^(stop|eos|end|complete|finish|success|done)",
}
"""Patterns of the words for each finishReason, the first that is found."""


def reason_of(found: object) -> str:
    """Return a finish reason as Gemini's finishReason, or BROKEN_OFF; "" if it is none."""
    found = found[0] if isinstance(found, list) and found else found
    found = found.get("type", "") if isinstance(found, dict) else found
    word = "stop" if found is True else str(found or "").strip().lower()
    if word in NONE:
        return ""
    name = word.upper()
    if named := next((each for each in NO_ANSWER if each in name), name if name in REFUSALS else ""):
        return named
    return next((each for each, pattern in WORDS.items() if re.search(pattern, word)), "OTHER")
