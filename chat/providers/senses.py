"""What models can be given beside words: photos, which a model sees or is told about, and sounds, which it hears.

    check(part, model)   refuses a part of a new question, with a sentence that says which model could be asked
    takes(content, model)
                         the same as a yes or no: who stands in for another model must take what that was given
    given(prompt)        the prompt as its model can be given it: facts in place of photos that it cannot see, words in
                         place of what belongs to earlier questions and was for another model

A sound is for models that hear it, and nothing on this server listens in their place.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from chat.protocol import errors, events
from chat.protocol.events import Response
from chat.protocol.prompt import SOUND_TYPES, Content, Model, Part, Prompt, is_photo, is_sound, text_of, type_of
from chat.providers.vision import questions, sentences, sight
from chat.providers.vision.sight import Sight
from chat.providers.vision.wording import wording

UNHEARD: Part = {"text": "[a sound that you cannot hear]"}
MOST_NAMED = 3


class Senses:
    """Of the models of one catalogue, which `models()` lists. `sight` looks at photos for those that cannot see."""

    def __init__(self, sight: Sight | None, models: Callable[[], tuple[Model, ...]]) -> None:
        self.sight = sight
        self._models = models

    def takes_photos(self, model: Model) -> bool:
        """Whether a photo may be sent to the model: it sees, or is told what can be recognised in the photo."""
        return model.images or self.sight is not None

    def refusal(self, part: Part, model: Model) -> str:
        """Why a part of a question cannot be given to the model; empty where it can."""
        if is_sound(part):
            return "" if hears(model, part) else self._refusal_of_sound(model)
        return "" if not is_photo(part) or self.takes_photos(model) else self._refusal_of_photos(model)

    def check(self, part: Part, model: Model) -> None:
        """Raise InvalidArgument where a part of a question cannot be given to the model."""
        if why := self.refusal(part, model):
            raise errors.InvalidArgument(why)

    def takes(self, content: Content, model: Model) -> bool:
        """Whether all of a question can be given to the model."""
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

    async def given(self, prompt: Prompt, *, alone: bool) -> AsyncGenerator[Response | Prompt, None]:
        """The prompt as its model can be given it, last. Where photos are looked at for it, before that what is seen in
        them; and with `alone` in place of it the answer's end, since the model would make up the rest, as it would a
        photo that is asked about and was not sent. A new photo or sound that the model cannot be given is refused with
        InvalidArgument, those that another model was given before are spoken of."""
        *earlier, newest = prompt.contents
        for part in newest["parts"]:
            self.check(part, prompt.model)
        if any(is_sound(part) for content in earlier for part in content["parts"]):
            prompt = replace(prompt, contents=[*(unheard(content, prompt.model) for content in earlier), newest])
        if prompt.model.images:
            yield prompt
        elif not prompt.has_images():
            if alone and not prompt.goes_on and questions.asks_of_a_photo(text_of(newest)):
                yield events.delta(sentences.no_photo(wording(prompt.language)))
                yield events.finish("STOP")
            else:
                yield prompt
        elif self.sight is None:
            yield replace(prompt, contents=[sight.unseen(content) for content in prompt.contents])
        else:
            able = [model.id for model in self._models() if model.images][:MOST_NAMED]
            async with aclosing(self.sight.words(prompt, title(prompt.model), able, alone)) as found:
                async for each in found:
                    yield each

    async def close(self) -> None:
        """End what looks at photos."""
        if self.sight is not None:
            await self.sight.close()


def hears(model: Model, part: Part) -> bool:
    """Whether the model hears the sound. What a client calls it may be another name of its type, or wrong: what it is,
    is known once it is stored."""
    kind = type_of(part)
    return bool(model.sounds) and (kind in model.sounds or kind not in SOUND_TYPES)


def unheard(content: Content, model: Model) -> Content:
    """The content with a word for each sound that the model does not hear."""
    parts = [UNHEARD if is_sound(part) and not hears(model, part) else part for part in content["parts"]]
    return {**content, "parts": parts}


def named(able: list[str]) -> str:
    """Some models that could be asked instead."""
    return " or ".join(able[:MOST_NAMED])


def title(model: Model) -> str:
    """What sentences call a model."""
    return model.title or model.id
