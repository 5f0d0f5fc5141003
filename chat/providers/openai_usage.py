"""Token counts of chat completions as Gemini's `usageMetadata`."""

from typing import Any

from chat.protocol.counts import count_of


def usage_of(usage: dict[str, Any]) -> dict[str, int]:
    """Convert OpenAI's `usage`, or Responses' names for it. Counts may be strings; values that are not counts are
    dropped."""
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details")
    prompt = count_of(usage.get("prompt_tokens", usage.get("input_tokens")))
    completion = count_of(usage.get("completion_tokens", usage.get("output_tokens")))
    thoughts = count_of(details.get("reasoning_tokens")) if isinstance(details, dict) else None
    total = count_of(usage.get("total_tokens"))
    if thoughts and completion is not None and (total is None or total < (prompt or 0) + completion + thoughts):
        completion = max(0, completion - thoughts)  # OpenAI counts thoughts twice, Gemini and xAI once
    counts = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": completion,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": total,
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
