"""The answer that a stream's events add up to."""

from chat.protocol import events
from chat.protocol.answer import Answer
from chat.protocol.events import Event


def log(*responses):
    """A stored log of these responses after its OK."""
    stored = [Event(0, 0, events.OK_DATA)]
    return stored + [Event(seq, seq, events.encode(response)) for seq, response in enumerate(responses, 1)]


def thought(text):
    return {"candidates": [{"content": {"role": "model", "parts": [{"text": text, "thought": True}]}}]}


def test_texts_are_joined_and_the_ok_is_not_among_them():
    answer = Answer.of(log(events.delta("Hel"), events.delta("lo"), events.finish("STOP", {"totalTokenCount": 3})))

    assert answer.finished() == [{"text": "Hello"}]
    assert answer.usage == {"totalTokenCount": 3}


def test_thoughts_are_parts_of_their_own():
    answer = Answer.of(log(thought("h"), thought("m"), events.delta("a"), events.delta("b")))

    assert answer.finished() == [{"text": "hm", "thought": True}, {"text": "ab"}]


def test_a_picture_stands_between_the_texts_around_it():
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    drawn = {"candidates": [{"content": {"parts": [picture]}}]}

    assert Answer.of(log(events.delta("a"), drawn, events.delta("b"))).finished() == [
        {"text": "a"},
        picture,
        {"text": "b"},
    ]


def test_notices_and_errors_add_nothing():
    failed = {"error": {"code": 503}, "wondercam": {"end": "failed"}}

    assert Answer.of(log(events.notice(events.WAITING, "2 ahead."), events.delta("a"), failed)).finished() == [
        {"text": "a"}
    ]


def test_the_text_is_that_of_the_log():
    stored = log(thought("hm"), events.delta("a\n"), events.delta("🌍"), events.finish("STOP"))
    parts = Answer.of(stored).finished()

    assert "".join(part["text"] for part in parts if not part.get("thought")) == events.answer_text(stored)


def test_pictures_and_events_that_say_nothing_count_too():
    answer = Answer()
    for part in ({"inlineData": {"data": "A" * 6400}}, {"text": "abc", "thoughtSignature": "AA"}, {"inlineData": 7}):
        answer.add({"candidates": [{"content": {"parts": [part]}}]})
    answer.add({"candidates": []})

    assert answer.size == 200 + 3 + 4


def test_an_answer_that_begins_again_after_a_thought_begins_with_text():
    answer = Answer.of(log(thought("h"), events.begun_anew(), events.delta("a")))

    assert answer.finished() == [{"text": "a"}]


def test_token_counts_stay_although_a_later_event_has_none():
    answer = Answer.of(log(events.finish("STOP", {"totalTokenCount": 3}), events.delta("")))

    assert answer.usage == {"totalTokenCount": 3}


def test_the_last_event_at_which_an_answer_began_again_counts():
    stored = log(events.delta("a"), events.begun_anew(), events.delta("b"), events.begun_anew(), events.delta("c"))

    assert events.counts_from(stored) == 4
    assert events.counts_from(stored[:2]) == 0


def test_an_empty_text_and_a_thought_are_no_beginning_of_an_answer():
    assert not events.answers([{"text": ""}, {"text": "Hm.", "thought": True}])
    assert events.answers([{"text": ""}, {"functionCall": {"name": "f"}}])
