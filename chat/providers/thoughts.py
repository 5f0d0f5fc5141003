"""Finds a model's thoughts in chat completions: in fields, in lists of content, and in tags in the text.

| form | from |
| --- | --- |
| `delta.reasoning_content` | DeepSeek, vLLM, llama.cpp, SGLang, Qwen, xAI |
| `delta.reasoning`, `delta.thinking` | OpenRouter, Groq, Cerebras, Ollama |
| `delta.reasoning_details` `[{"text" or "summary"}]` | OpenRouter, MiniMax; often beside another field |
| `delta.content` `[{"type": "thinking", "thinking": [{"text"}] or "…"}]` | Mistral, Anthropic's shape |
| `<think>…</think>` before the answer, and the others of TAGS | servers that do not parse the model's own format |
"""

from typing import Any, NamedTuple

from chat.protocol.prompt import Part

FIELDS = ("reasoning_content", "reasoning", "reasoning_text", "thinking", "reasoning_details", "thinking_blocks")
"""In this order: only the first one with text is read, because others repeat it."""

TYPES = ("thinking", "reasoning", "reasoning_content", "thought")
TEXTS = ("text", "thinking", "reasoning", "summary", "content", "value", "parts")

TAGS = {"<think>": "</think>", "<thinking>": "</thinking>", "<thought>": "</thought>"}
TAGS |= {"<seed:think>": "</seed:think>", "[THINK]": "[/THINK]", "◁think▷": "◁/think▷"}
TAGS |= {"<reasoning>": "</reasoning>"}
HARMONY_ANSWER = "<|channel|>final<|message|>"
TAGS |= {"<|channel|>analysis<|message|>": f"<|end|><|start|>assistant{HARMONY_ANSWER}", HARMONY_ANSWER: ""}
"""The opening tags of thoughts, each with its closing tag, or "" if the answer follows at once. The last two are of
gpt-oss (https://cookbook.openai.com/articles/openai-harmony)."""
SPACE_BETWEEN = "\r\n "


class Said(NamedTuple):
    """The thoughts and the answer's text of one delta."""

    thought: str
    text: str


def said_in(delta: dict[str, Any]) -> Said:
    """Return the thoughts and the text of a delta or a message."""
    thought = next((found for name in FIELDS if (found := written(delta.get(name)))), "")
    content = delta.get("content")
    if not isinstance(content, list):
        return Said(thought, written(content))
    thoughts = [item for item in content if isinstance(item, dict) and is_thought(item)]
    return Said(thought or written(thoughts), written([item for item in content if item not in thoughts]))


def is_thought(item: dict[str, Any]) -> bool:
    """Whether an item of a list of content belongs to the thoughts."""
    return item.get("type") in TYPES or item.get("thought") is True


def written(content: Any) -> str:
    """Return the text of a field: a string, a number, an object with one of TEXTS, or a list of these; else ""."""
    if isinstance(content, str):
        return content
    if isinstance(content, int | float) and not isinstance(content, bool):
        return str(content)
    if isinstance(content, list):
        return "".join(map(written, content))
    if isinstance(content, dict):
        return next((found for name in TEXTS if (found := written(content.get(name)))), "")
    return ""


def parts_of(thought: str, text: str) -> list[Part]:
    """Return Gemini's parts for the thoughts and the text, without empty ones."""
    parts: list[Part] = [{"text": thought, "thought": True}] if thought else []
    return [*parts, {"text": text}] if text else parts


class ThinkTags:
    """Splits the text of an answer that begins with a tag of TAGS into thoughts and text, also if a tag is divided
    between two deltas.

    A tag elsewhere is text: the model may be writing about tags.
    """

    def __init__(self) -> None:
        self._kept = ""
        self._closing = ""
        self._state = "start"

    def feed(self, text: str) -> Said:
        """Return the thoughts and text that are certain now; a possible beginning of a tag is held."""
        if self._state == "answer" or not text:
            return Said("", text)
        self._kept += text
        if self._state == "start":
            return self._at_start()
        return self._in_thoughts() if self._state == "thoughts" else self._behind_thoughts()

    def _at_start(self) -> Said:
        found = self._kept.lstrip()
        for opening, closing in TAGS.items():
            if found.startswith(opening):
                self._kept, self._closing = found[len(opening) :], closing
                self._state = "thoughts" if closing else "behind"
                return self._in_thoughts() if closing else self._behind_thoughts()
        if any(opening.startswith(found) for opening in TAGS):
            return Said("", "")
        return self.rest()

    def _in_thoughts(self) -> Said:
        thought, closing, text = self._kept.partition(self._closing)
        if closing:
            self._kept, self._state = text, "behind"
            return Said(thought, self._behind_thoughts().text)
        kept = next((n for n in range(len(self._closing) - 1, 0, -1) if thought.endswith(self._closing[:n])), 0)
        self._kept = thought[len(thought) - kept :]
        return Said(thought[: len(thought) - kept], "")

    def _behind_thoughts(self) -> Said:
        text, self._kept = self._kept.lstrip(SPACE_BETWEEN), ""
        self._state = "answer" if text else "behind"
        return Said("", text)

    def rest(self) -> Said:
        """Return what is held, because the text has ended or no tag can follow."""
        kept, self._kept = self._kept, ""
        if self._state == "thoughts":
            return Said(kept, "")
        self._state = "answer"
        return Said("", kept)
