"""The language of `/v1/chat/completions` and Gemini's, translated both ways. Pure.

https://platform.openai.com/docs/api-reference/chat: chunks of `choices[].delta`, then one with `finish_reason`, then
perhaps one with `usage` and no choices, then `[DONE]`. Servers differ in all but the first.
"""

from typing import Any

from chat.protocol import errors, events
from chat.protocol.prompt import Part, Prompt

FINISH = {
    "stop": "STOP",
    "eos": "STOP",
    "eos_token": "STOP",
    "end_turn": "STOP",
    "stop_sequence": "STOP",
    "length": "MAX_TOKENS",
    "max_tokens": "MAX_TOKENS",
    "model_length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "tool_calls": "UNEXPECTED_TOOL_CALL",
    "function_call": "UNEXPECTED_TOOL_CALL",
}
BROKEN_OFF = ("abort", "error", "insufficient_system_resource")
"""What vLLM, OpenRouter and DeepSeek call an answer that they could not finish."""

GENERATION = {
    "temperature": "temperature",
    "topP": "top_p",
    "stopSequences": "stop",
    "seed": "seed",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
}


class Translation:
    """Chat completion chunks in, Gemini responses out: the end is held back until the usage is known."""

    def __init__(self, model: str, who: str) -> None:
        self.model = model
        self.who = who
        self.reason = ""
        self.broken_off = False
        self.refusal = False
        self.usage: dict[str, int] = {}

    def glance(self, data: str) -> events.Chunk | None:
        """Nothing of theirs can go on as it came."""
        return None

    def read(self, chunk: dict[str, Any]) -> list[events.Chunk]:
        """What this chunk adds to the answer: nothing, thoughts, text. Raises BadUpstream for a shape that is none."""
        if isinstance(chunk.get("usage"), dict):
            self.usage = usage_of(chunk["usage"])
        choices = chunk.get("choices") or []
        if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
            raise errors.BadUpstream(f"{self.who} sent something that is no answer.")
        if not choices or choices[0].get("index"):
            return []
        if reason := choices[0].get("finish_reason"):
            self.broken_off = self.broken_off or reason in BROKEN_OFF
            self.reason = self.reason or FINISH.get(str(reason), "OTHER")
        delta = choices[0].get("delta") or choices[0].get("message") or {}
        if not isinstance(delta, dict):
            raise errors.BadUpstream(f"{self.who} sent something that is no answer.")
        self.refusal = self.refusal or bool(delta.get("refusal"))
        thought = written(delta.get("reasoning_content")) or written(delta.get("reasoning"))
        text = written(delta.get("content")) + written(delta.get("refusal"))
        parts: list[Part] = [{"text": thought, "thought": True}] if thought else []
        parts += [{"text": text}] if text else []
        if not parts:
            return []
        response = {"candidates": [{"content": {"role": "model", "parts": parts}}], "modelVersion": self.model}
        return [events.Chunk(events.encode(response), parts)]

    def may_end(self) -> bool:
        """Whether the server has said why it ended: only the usage may follow."""
        return bool(self.reason)

    def end(self) -> events.Response:
        """The last response; raises Truncated where the server never said why it ended, or that it broke off."""
        if not self.reason or self.broken_off:
            raise errors.Truncated(f"{self.who} ended the answer in the middle.")
        return events.finish("SAFETY" if self.refusal else self.reason, self.usage, self.model)


def written(content: Any) -> str:
    """The text of a delta's field: a string, or a list of `{"text": …}` (as some servers send it)."""
    if isinstance(content, list):
        return "".join(written(item.get("text")) for item in content if isinstance(item, dict))
    return content if isinstance(content, str) else ""


def usage_of(usage: dict[str, Any]) -> dict[str, int]:
    """OpenAI's usage as Gemini's `usageMetadata`."""
    details = usage.get("completion_tokens_details") or {}
    counts = {
        "promptTokenCount": usage.get("prompt_tokens"),
        "candidatesTokenCount": usage.get("completion_tokens"),
        "thoughtsTokenCount": details.get("reasoning_tokens") if isinstance(details, dict) else None,
        "totalTokenCount": usage.get("total_tokens"),
    }
    return {name: count for name, count in counts.items() if isinstance(count, int)}


def request_of(prompt: Prompt, most_tokens: str = "max_tokens") -> dict[str, Any]:
    """The prompt as the body of a chat completion. Turns of the same role are joined: many templates insist on it.

    `most_tokens` is the field for `maxOutputTokens`; OpenAI itself has renamed it.
    """
    messages: list[dict[str, Any]] = [{"role": "system", "content": prompt.system}] if prompt.system else []
    for content in prompt.contents:
        role = "assistant" if content.get("role") == "model" else "user"
        found = content_of(content["parts"] if role == "user" else spoken(content["parts"]))
        if not found:
            continue
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] = joined(messages[-1]["content"], found)
        else:
            messages.append({"role": role, "content": found})
    body = {ours: prompt.generation[theirs] for theirs, ours in GENERATION.items() if theirs in prompt.generation}
    if "maxOutputTokens" in prompt.generation:
        body[most_tokens] = prompt.generation["maxOutputTokens"]
    if prompt.generation.get("responseMimeType") == "application/json":
        body["response_format"] = {"type": "json_object"}
    return {
        "model": prompt.model.name,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        **body,
    }


def spoken(parts: list[Part]) -> list[Part]:
    """An earlier answer as words: no server takes back the pictures and calls that another one made."""
    picture: Part = {"text": "[a picture]"}
    return [picture if "inlineData" in part else part for part in parts if "text" in part or "inlineData" in part]


def content_of(parts: list[Part]) -> str | list[dict[str, Any]]:
    """Parts as a message's content: plain text where there are no photos; thoughts are not sent back."""
    found: list[dict[str, Any]] = []
    for part in parts:
        if part.get("thought"):
            continue
        if "text" in part:
            found.append({"type": "text", "text": part["text"]})
        elif "inlineData" in part:
            photo = part["inlineData"]
            url = f"data:{photo['mimeType']};base64,{photo['data']}"
            found.append({"type": "image_url", "image_url": {"url": url}})
        else:
            raise errors.InvalidArgument("This model takes text and photos only.")
    if all(item["type"] == "text" for item in found):
        return "".join(item["text"] for item in found)
    return found


def joined(first: str | list[dict[str, Any]], second: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Two contents of the same role as one."""
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    as_list = [[{"type": "text", "text": part}] if isinstance(part, str) else part for part in (first, second)]
    return as_list[0] + as_list[1]
