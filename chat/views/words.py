"""The words of the page's modules in the reader's language, as the page carries them (static/chat/words.js)."""

from functools import cache
from gettext import GNUTranslations
from pathlib import Path

from django.utils.translation import get_language, to_locale

SERVER_SENTENCES = (
    "Try again.",
    "Try again in {seconds} s.",
    "Try again, or choose another model.",
    "Try again in {seconds} s, or choose another model.",
    "Say it in other words.",
    "Say it in other words, or choose another model.",
    "Choose another model.",
    "Too many attempts to sign in from your address.",
    "Too many attempts to sign in to this account.",
    "These questions come too fast.",
    "You have asked as many questions as one minute allows.",
    "Too many questions come from your address.",
    "Too many guests come from your address.",
    "Too many guests came from your address today.",
    "Too many new guests at the moment.",
    "You have sent as many photos or sounds as one minute allows.",
    "You have sent as many photos or sounds as one day allows.",
    "You have made as many API keys as one hour allows.",
    "You have as many API keys as one may have: end one first.",
    "There is no such API key.",
    "Another answer is still being written: wait for it, or stop it.",
    "Another answer of yours begins at this moment: try again.",
    "Too many answers are being written just now: try again soon.",
    "The places for guests are all taken: try again soon, or sign in to use one kept for accounts.",
    "Too many answers are being written for guests of your network: try again soon, or sign in.",
    "Your photos and sounds take all the space you have: delete a conversation.",
    "Too many photos of yours wait to be read: send them one after another.",
    "The photo cannot be read: its data is damaged.",
    "The photo cannot be opened.",
    "The photo could not be read in time: try again soon.",
    "The photo could not be looked at on this server.",
    "The photo has more than {size} MB.",
    "The sound cannot be read: its data is damaged.",
    "The sound has more than {size} MB.",
    "The sound is longer than {count} seconds.",
    "The photo has more than {count} million pixels.",
    "HEIC photos cannot be used here: save it as JPEG.",
    "Animations cannot be used: send a single photo.",
    "The message has {count} photos: send at most {most} at a time.",
    "The message has {count} sounds: send at most {most} at a time.",
    "The message is longer than {most} bytes.",
    "The request is too large.",
    "There is no such conversation.",
    "{count} messages wait in this conversation already: remove one, or wait until the next one is sent.",
    "There is no such message in this conversation's queue: it may have been sent, or removed, already.",
    "Whoever queued this message has signed out since: send it again.",
    "There is no such message.",
    "There is no such photo.",
    "There is no such stream.",
    "This answer was deleted.",
    "Sign in first.",
    "This site is for people with an account: sign in.",
    "Something went wrong on the server; it has been logged.",
    "The database does not answer just now: try again in a moment.",
    "This server is shutting down; another one takes over in a moment.",
    "The server is shutting down and could not finish this answer.",
    "The server that wrote this answer went away in the middle of it.",
    "The server that wrote this answer went away.",
    "Another one has picked it up again.",
    "Another one has picked it up again, from its beginning.",
    "The server could not store this answer to its end; what came so far is kept.",
    "The answer took longer than this server allows; what came so far is kept.",
    "The answer grew longer than this server allows; what came so far is kept.",
    "The answer failed in a way that is this server's fault.",
    "This message is too long for the embedded model.",
    "Shorten it.",
    "The embedded model is being loaded: this can take minutes.",
    "The embedded model is answering others: you are next.",
    "The embedded model is answering others: {ahead} ahead of you.",
    "No model is configured on this server.",
    "{who} asks this server to pay first.",
    "{who} did not accept this server's key.",
    "{who} does not know this model.",
    "{who} cannot be asked at the address that is set.",
    "{who} takes no more requests for now.",
    "{who} takes no more requests for today.",
    "{who} took too long.",
    "{who} refused this message because of what it says.",
    "{who} says that this is too long for the model.",
    "Shorten it, or begin a new chat.",
    "Its operator must look at it.",
    "This server's operator must look at it.",
    "Looking at the photo on this server: {who} cannot see it.",
    "{who} is being loaded or still reads the question: on this machine that can take minutes.",
    "{who} is not available: {model} answers instead.",
    "{who} is still loading its model.",
    "{who} did not begin to answer within {seconds} seconds.",
    "{who} did not begin to answer within {seconds} seconds: it may still be loading.",
    "{who} stopped responding in the middle of the answer.",
    "{who} ended the answer in the middle.",
    "{who} was cut off before the answer's end.",
    "The answer took longer than {seconds} seconds: it ends here.",
    "The answer broke off.",
    "{who} failed on its side.",
    "{who} is not available at the moment.",
    "{who} is not there.",
    "{who} cannot be reached at the moment.",
    "{who} has failed several times in a row and rests.",
    "{who} did not accept this request.",
    "Change it, then send it again.",
    "This model may take no photos, sounds or tools: leave them out, or choose another one.",
    "{who} did not accept this server's credentials.",
    "Its operator must look at them.",
    "{who}: Google's sign-in cannot be reached.",
    "{who}: Google's sign-in does not answer.",
    "{who} answered with status {status} instead of an answer.",
    "{who} sent something that is no answer.",
    "{who} sent a web page instead of an answer.",
    "{who} sent more in one piece than this server accepts.",
    "{who} sent a compressed answer that cannot be read.",
    "{who} refused to answer {why}.",
    "{who} refused this message {why}.",
    "for safety reasons",
    "because of the photo, for safety reasons",
    "because the answer would have repeated a text word for word",
    "because it does not know the language",
    "because the answer would have held a blocked word",
    "because it holds a word that is blocked",
    "because the content is prohibited",
    "because its content is prohibited",
    "because the answer would have held personal data",
    "because the picture would not have been safe",
    "because the picture's content is prohibited",
    "because the picture would have copied another",
    "with a picture",
    "and does not say why",
    "by a filter of its operator",
    "as an attempt to get round its rules",
    "{who} called a tool in a way that nobody can read, and gave no answer.",
    "{who} called a tool that it was not given, and gave no answer.",
    "{who} called tools until it was not allowed to any more, and gave no answer.",
    "{who} ended without an answer.",
    "{model} cannot see photos.",
    "{model} cannot see photos, and no model of this server can.",
    "{model} cannot hear sounds.",
    "{model} cannot hear sounds, and no model of this server can.",
    "{models} can: choose it and send again.",
    "{model} hears {kinds} only: send the sound as one of these.",
    "Send words instead.",
    "This model takes text, photos and sounds only.",
    "There is no model of that name here.",
    "There are: {models}.",
    "There is no such message in this conversation.",
    "Too many photos are waiting to be looked at: try again soon.",
    "You have {spent} today, as many as one day allows: you can continue after midnight UTC, in {time}.",
    "asked {count} questions",
    "asked {count} question",
    "used {count} tokens",
    "This site has been asked as often as one day allows, {count}: it continues after midnight UTC, in {time}.",
    "This site has used its {count} tokens of today: it continues after midnight UTC, in {time}.",
    "A photo of {width} × {height} pixels in this format is too large: send it smaller, or as JPEG.",
    "The embedded model",
    "The OpenAI-compatible server",
)
"""What the API says to people, in English, as it logs and stores it: the page translates these where it shows them.
Longer messages are made of several of them; what stands in the place of a {name} may be in this list, too."""

FOLDER = Path(__file__).resolve().parent.parent / "locale"


@cache
def words(language: str) -> dict[str, str]:
    """English → that language; empty for English, and for a language without a catalogue."""
    file = FOLDER / to_locale(language) / "LC_MESSAGES" / "djangojs.mo"
    if not file.is_file():
        return {}
    with file.open("rb") as content:
        catalogue = Translations(content)
    return catalogue.sentences


def word(sentence: str) -> str:
    """A sentence of the page's modules in the reader's language, as `t` gives it there."""
    return words(get_language() or "").get(sentence, sentence)


class Translations(GNUTranslations):
    """A compiled catalogue as a dictionary."""

    @property
    def sentences(self) -> dict[str, str]:
        """Each sentence with its translation."""
        found = self._catalog.items()  # type: ignore[attr-defined]
        return {sentence: said for sentence, said in found if isinstance(sentence, str) and sentence}
