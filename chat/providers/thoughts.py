"""Finds a model's thoughts in chat completions: in fields, in lists of content, and in tags in the text.

| form | from |
| --- | --- |
| `delta.reasoning_content` | DeepSeek, vLLM, llama.cpp, SGLang, Qwen, xAI |
| `delta.reasoning`, `delta.thinking` | OpenRouter, Groq, Cerebras, Ollama |
| `delta.reasoning_details` `[{"text" or "summary"}]` | OpenRouter, MiniMax; often beside another field |
| `delta.content` `[{"type": "thinking", "thinking": [{"text"}] or "…"}]` | Mistral, Anthropic's shape |
| `<think>…</think>` before the answer, and the others of TAGS | servers that do not parse the model's own format |
"""

import re
from typing import Any, NamedTuple

from chat.protocol.prompt import Part

FIELDS = ("reasoning_content", "reasoning", "reasoning_text", "thinking", "reasoning_details", "thinking_blocks")
"""In this order: only the first one with text is read, because others repeat it."""

TYPES = ("thinking", "reasoning", "reasoning_content", "thought")
TEXTS = ("text", "thinking", "reasoning", "summary", "content", "value", "parts")

TAGS = {"<think>": "</think>", "<thinking>": "</thinking>", "<thought>": "</thought>"}
TAGS |= {"<seed:think>": "</seed:think>", "[think]": "[/think]", "◁think▷": "◁/think▷"}
TAGS |= {"<reasoning>": "</reasoning>"}
HARMONY_ANSWER = "<|channel|>final<|message|>"
TAGS |= {"<|channel|>analysis<|message|>": f"<|end|><|start|>assistant{HARMONY_ANSWER}", HARMONY_ANSWER: ""}
"""The opening tags of thoughts, in small letters, each with its closing tag, or "" if the answer follows at once. The
last two are of gpt-oss (https://cookbook.openai.com/articles/openai-harmony)."""
OPENED = re.compile(r"<(think|thinking|thought|reasoning)\s[^<>]{0,200}>", re.IGNORECASE)
OPENING = re.compile(r"<(?:think|thinking|thought|reasoning)\s[^<>]{0,200}", re.IGNORECASE)
"""An opening tag with attributes, and the beginning of one."""
ENDS = ("<|return|>", "<|end|>")
"""What an answer of gpt-oss ends with, where its server leaves that in the text."""
SPACE_BETWEEN = "\r\n "


class Said(NamedTuple):
    """The thoughts and the answer's text of one delta."""

    thought: str
    text: str


def said_in(delta: dict[str, Any]) -> Said:
    """Return the thoughts and the text of a delta or a message."""
    thought = next((found for name in FIELDS if (found := written(delta.get(name)))), "")
    content = delta.get("content")
    if not content:
        audio = delta.get("audio")
        content = audio.get("transcript") if isinstance(audio, dict) else delta.get("text")
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
    """Splits the text of an answer that begins with tags of TAGS into thoughts and text, also if a tag is divided
    between two deltas.

    A tag elsewhere is text: the model may be writing about tags.
    """

    def __init__(self, model: str = "") -> None:
        self._kept = ""
        self._closing = ""
        self._is_behind = self._answers = False
        self._is_harmony = "gpt-oss" in model.lower()
        self._end = ""

    def feed(self, text: str) -> Said:
        """Return the thoughts and text that are certain now; a possible part of a tag is held."""
        said = self._split(text)
        return Said(said.thought, self._without_end(said.text)) if self._is_harmony and said.text else said

    def _without_end(self, text: str) -> str:
        """Return the text up to what may be the end of a message of gpt-oss, which is held."""
        text, self._end = self._end + text, ""
        at = max(text.rfind("<|"), len(text) - 1 if text.endswith("<") else -1)
        if at >= 0 and any(end.startswith(text[at:].rstrip()) for end in ENDS):
            text, self._end = text[:at], text[at:]
        return text

    def _split(self, text: str) -> Said:
        if self._answers or not text:
            return Said("", text)
        self._kept += text
        thought = ""
        while self._closing or self._is_opened():
            thought += self._thought()
            if self._closing:
                return Said(thought, "")
        found = self._kept.lstrip().lower()
        held = any(opening.startswith(found) for opening in TAGS) or bool(OPENING.fullmatch(found))
        return Said(thought, "" if held else self._released().text)

    def _is_opened(self) -> bool:
        """Whether a tag begins here; it is removed."""
        found = self._kept.lstrip()
        opened = OPENED.match(found)
        for opening, closing in TAGS.items():
            if opening == (f"<{opened[1].lower()}>" if opened else found[: len(opening)].lower()):
                length = opened.end() if opened else len(opening)
                self._kept, self._closing, self._is_behind = found[length:], closing, True
                self._is_harmony = self._is_harmony or opening.startswith("<|channel|>")
                return True
        return False

    def _thought(self) -> str:
        """The thoughts up to the closing tag, which is removed, or as far as they are certain."""
        found, closing = self._kept, self._closing
        if not closing:
            return ""
        if match := re.search(re.escape(closing), found, re.IGNORECASE):
            self._kept, self._closing = found[match.end() :], ""
            return found[: match.start()]
        kept = next((n for n in range(len(closing) - 1, 0, -1) if found[-n:].lower() == closing[:n].lower()), 0)
        self._kept = found[len(found) - kept :]
        return found[: len(found) - kept]

    def rest(self) -> Said:
        """Return what is held, because the text has ended."""
        said, end, self._end = self._released(), self._end, ""
        return Said(said.thought, said.text + ("" if end.strip() in ENDS else end))

    def _released(self) -> Said:
        kept, self._kept = self._kept, ""
        if self._closing:
            return Said(kept, "")
        text = kept.lstrip(SPACE_BETWEEN) if self._is_behind else kept
        self._answers = bool(text)
        return Said("", text)
