"""Titles of chats, generated in the background by the model of the first answer; at first, the question's first words.

    the first turn of a chat completes ── Titles.ended ── one short request to the same model ── the title is stored,
    unless the chat has another one by now ── a line `renamed` in the feed

`WONDERCAM_TITLES` says which models are asked (`Catalogue.gives_titles`). The tokens count towards the user's day and
the spending like those of an answer; a user whose day is used up keeps the first words. A title is requested once, and
if anything goes wrong, the first words stay.
"""

import asyncio
import contextvars
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from chat import limits, search
from chat.log import Log
from chat.log.changes import RENAMED, tell_of_conversation
from chat.log.sql import django_execute, in_thread, key_of
from chat.log.usage import count_spending, count_tokens
from chat.models import Conversation, Stream
from chat.protocol import events
from chat.protocol.answer import Answer
from chat.protocol.events import Chunk
from chat.protocol.prompt import Model, Prompt
from chat.providers.catalogue import Catalogue
from chat.turns.first_title import first_title
from chat.turns.start import THROUGH_DOOR
from chat.turns.turn import Turn

log = logging.getLogger(__name__)

SECONDS = 20
"""The longest wait for a title."""
AT_ONCE = 4
"""The most requests in one process; a chat whose first answer ends meanwhile keeps its first words."""
SHOWN = 600
"""Characters of the question, and of its answer, that the model gets."""
LONGEST = 60
"""The longest title, in characters; a longer text is not taken for one."""
GENERATION = {"maxOutputTokens": 256, "temperature": 0.2}
"""Enough tokens for a model that thinks first; thoughts are not part of the title."""
INSTRUCTION = (
    "Give the conversation a title of two to six words, in the language of the question. "
    "Answer with the title alone, without quotation marks."
)
AROUND = " \t\"'`*#_.:“”„«»‘’「」『』《》"
PREFIX = re.compile(r"^(?:title|titre|título|titel|标题|タイトル)\s*[:：]\s*", re.IGNORECASE)


class Untitled(NamedTuple):
    """A chat without a generated title, whose first answer has just ended. `words` is its present title."""

    conversation: UUID
    user_id: int
    words: str
    question: str
    answer: str

    def prompt(self, model: Model) -> Prompt:
        """The prompt that asks for a title."""
        text = f"Question:\n{self.question[:SHOWN]}\n\nAnswer:\n{self.answer[:SHOWN]}"
        return Prompt(model, [{"role": "user", "parts": [{"text": text}]}], INSTRUCTION, GENERATION, {}, self.user_id)


class Titles:
    """The requests for titles of one process."""

    def __init__(self, event_log: Log, catalogue: Callable[[], Catalogue]) -> None:
        self._log = event_log
        self._catalogue = catalogue
        self._asking: set[asyncio.Task[None]] = set()

    def ended(self, turn: Turn) -> None:
        """Request a title after this turn if it was the first of its chat."""
        is_first = len(turn.prompt.contents) == 1
        if not is_first or len(self._asking) >= AT_ONCE or not self._catalogue().gives_titles(turn.prompt.model):
            return
        work = self._name(turn.stream_id, turn.prompt.model)
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def settled(self) -> None:
        """Wait for the requests under way."""
        await asyncio.gather(*self._asking)

    async def close(self) -> None:
        """Cancel the requests under way."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _name(self, stream_id: UUID, model: Model) -> None:
        try:
            untitled = await in_thread(partial(untitled_of, stream_id))
            if untitled is None:
                return
            said = Answer()
            try:
                async with asyncio.timeout(SECONDS):
                    await self._catalogue().answer(untitled.prompt(model), partial(_take, said))
            finally:  # used tokens count, whatever the result
                await self._log.write(partial(_keep, stream_id, model, untitled, said))
            self._log.feeds.changed(untitled.user_id)
        except Exception as error:
            log.info("no title for the chat of stream %s: %s", stream_id, type(error).__name__)


def _take(said: Answer, chunk: Chunk) -> None:
    said.take(chunk.parts, chunk.usage)


def untitled_of(stream_id: UUID) -> Untitled | None:
    """The chat of which this stream is the first answer. None if the chat has another title by now, came by the Gemini
    or OpenAI API, has no complete answer, or if its user's day is used up."""
    whole = Stream.objects.select_related("conversation__user", "answer__parent")
    stream = whole.filter(pk=stream_id, status=events.COMPLETE).first()
    if stream is None or stream.answer.parent is None or stream.request.get(THROUGH_DOOR):
        return None
    chat, question = stream.conversation, stream.answer.parent
    words = first_title({"role": "user", "parts": question.parts}, stream.request.get("language"))
    if chat.title != words or not limits.has_tokens_left(chat.user_id, is_guest=chat.user.is_guest):
        return None
    return Untitled(chat.pk, chat.user_id, words, question.text, stream.answer.text)


def _keep(stream_id: UUID, model: Model, untitled: Untitled, said: Answer) -> None:
    """Count the tokens, and store the title unless the chat has another one by now. A job of `Log.write`."""
    key, parts = key_of(stream_id), said.so_far()
    if parts or said.usage:
        count_tokens(django_execute, key, said.usage, parts)
        count_spending(django_execute, key, datetime.now(UTC).date().isoformat(), said.usage, parts, answers=0)
    text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    title = title_in(text)
    if not title:
        return
    named = Conversation.objects.filter(pk=untitled.conversation, user=untitled.user_id, title=untitled.words)
    if named.update(title=title):
        search.forget(untitled.conversation)
        tell_of_conversation(untitled.conversation, RENAMED, {"title": title})


def title_in(text: str) -> str:
    """The title in the model's text; empty if it holds none."""
    lines = [found for line in text.splitlines() if (found := PREFIX.sub("", line.strip(AROUND)).strip(AROUND))]
    if not lines:
        return ""
    title = " ".join("".join(each if each.isprintable() else " " for each in lines[0]).split())
    return title if len(title) <= LONGEST else ""
