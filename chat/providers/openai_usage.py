"""Token counts of chat completions as Gemini's `usageMetadata`."""

from typing import Any

from chat.protocol.counts import count_of


def usage_of(usage: dict[str, Any]) -> dict[str, int]:
    """Convert OpenAI's `usage`. Counts may be strings; values that are not counts are dropped."""
    details = usage.get("completion_tokens_details")
    thoughts = details.get("reasoning_tokens") if isinstance(details, dict) else None
    counts = {
        "promptTokenCount": count_of(usage.get("prompt_tokens")),
        "candidatesTokenCount": count_of(usage.get("completion_tokens")),
        "thoughtsTokenCount": count_of(thoughts),
        "totalTokenCount": count_of(usage.get("total_tokens")),
    }
    return {name: count for name, count in counts.items() if count is not None}


def usage_beside(choice: dict[str, Any], chunk: dict[str, Any]) -> dict[str, int]:
    """Return the usage that Moonshot, Groq and Ollama send in the choice, in `x_groq`, or in `…eval_count` fields."""
    groq = chunk.get("x_groq")
    places = (choice.get("usage"), groq.get("usage") if isinstance(groq, dict) else None)
    found = next((place for place in places if isinstance(place, dict)), None)
    if found is None:
        found = {"prompt_tokens": chunk.get("prompt_eval_count"), "completion_tokens": chunk.get("eval_count")}
    return usage_of(found)
