"""`Senses`: adapts prompts with photos and sounds to what their model accepts.

    check(part, model)      raise InvalidArgument for a part that the model does not accept; the message names models
                            that do
    takes(content, model)   whether the model accepts all parts, for the choice of a fallback
    adapted(prompt, tell)   the prompt in the form that its model accepts: facts in place of photos that it cannot see,
                            placeholders for photos and sounds of earlier questions to other models

A sound is sent only to models that hear it: this server does not transcribe.
"""

from collections.abc import Callable
from dataclasses import replace

from chat.protocol import errors, events
from chat.protocol.prompt import SOUND_TYPES, Content, Model, Part, Prompt, is_photo, is_sound, text_of, type_of
from chat.providers.vision import questions, sentences, sight
from chat.providers.vision.sight import Sight, Tell
from chat.providers.vision.wording import wording

UNHEARD: Part = {"text": "[a sound that you cannot hear]"}
MOST_NAMED = 3


class Senses:
    """The checks for the models of one catalogue, which `models()` lists. `sight` recognises what is in photos, for
    models that cannot see them; None if it is off."""

    def __init__(self, sight: Sight | None, models: Callable[[], tuple[Model, ...]]) -> None:
        self.sight = sight
        self._models = models

    def takes_photos(self, model: Model) -> bool:
        """Whether a photo may be sent to the model: it sees photos, or gets the facts that `sight` recognises."""
        return model.images or self.sight is not None

    def refusal(self, part: Part, model: Model) -> str:
        """Return why the model does not accept a part of a question, as a sentence for users; "" if it does."""
        if is_sound(part):
            return "" if hears(model, part) else self._refusal_of_sound(model)
        return "" if not is_photo(part) or self.takes_photos(model) else self._refusal_of_photos(model)

    def check(self, part: Part, model: Model) -> None:
        """Raise InvalidArgument if the model does not accept a part of a question."""
        if why := self.refusal(part, model):
            raise errors.InvalidArgument(why)

    def takes(self, content: Content, model: Model) -> bool:
        """Whether the model accepts all parts of a question."""
        return not any(self.refusal(part, model) for part in content["parts"])

    def _refusal_of_photos(self, model: Model) -> str:
        able = [other.id for other in self._models() if other.images]
        if able:
            return f"{title(model)} cannot see photos. {named(able)} can: choose it and send again."
        return f"{title(model)} cannot see photos, and no model of this server can. Send words instead."

    def _refusal_of_sound(self, model: Model) -> str:
        if model.sounds:
            kinds = " and ".join(kind.removeprefix("audio/").upper() for kind in model.sounds)
            return f"{title(model)} hears {kinds} only: send the sound as one of these."
        able = [other.id for other in self._models() if other.sounds]
        if able:
            return f"{title(model)} cannot hear sounds. {named(able)} can: choose it and send again."
        return f"{title(model)} cannot hear sounds, and no model of this server can. Send words instead."

    async def adapted(self, prompt: Prompt, tell: Tell, *, describe_only: bool) -> Prompt | None:
        """Return the prompt in the form that its model accepts, or None if the answer has ended without the model.

        `tell` gets what `sight` recognises in new photos. With `describe_only` (the embedded model, which would invent
        the rest) that is the whole answer, as is a sentence for a question about a photo that was not sent. Raises
        InvalidArgument for a new photo or sound that the model does not accept; those of earlier questions are replaced
        by placeholders.
        """
        *earlier, newest = prompt.contents
        for part in newest["parts"]:
            self.check(part, prompt.model)
        if any(is_sound(part) for content in earlier for part in content["parts"]):
            prompt = replace(prompt, contents=[*(unheard(content, prompt.model) for content in earlier), newest])
        if prompt.model.images:
            return prompt
        if prompt.has_images():
            return await self._described(prompt, tell, describe_only)
        if describe_only and not prompt.is_continuation and questions.asks_of_a_photo(text_of(newest)):
            tell(events.delta(sentences.no_photo(wording(prompt.language))))
            tell(events.finish("STOP"))
            return None
        return prompt

    async def _described(self, prompt: Prompt, tell: Tell, describe_only: bool) -> Prompt | None:
        if self.sight is None:
            return replace(prompt, contents=[sight.unseen(content) for content in prompt.contents])
        able = [model.id for model in self._models() if model.images][:MOST_NAMED]
        return await self.sight.described(prompt, title(prompt.model), able, tell, describe_only)

    async def close(self) -> None:
        """Close `sight`, which ends its process."""
        if self.sight is not None:
            await self.sight.close()


def hears(model: Model, part: Part) -> bool:
    """Whether the model hears the sound. A type outside SOUND_TYPES is accepted: the client's name may be an alias or
    wrong, and the real type is known when the sound is stored."""
    kind = type_of(part)
    return bool(model.sounds) and (kind in model.sounds or kind not in SOUND_TYPES)


def unheard(content: Content, model: Model) -> Content:
    """Return the content with a placeholder for each sound that the model does not hear."""
    parts = [UNHEARD if is_sound(part) and not hears(model, part) else part for part in content["parts"]]
    return {**content, "parts": parts}


def named(able: list[str]) -> str:
    """Return the first ids joined with "or", at most MOST_NAMED."""
    return " or ".join(able[:MOST_NAMED])


def title(model: Model) -> str:
    """Return the name of a model for sentences: its title, or its id."""
    return model.title or model.id
