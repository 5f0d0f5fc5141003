"""Prompts from the tree of messages: the branch, its cut, its photos."""

from dataclasses import replace

from chat.protocol.prompt import (
    HISTORY_PHOTOS,
    Model,
    Prompt,
    PromptMessage,
    attachments_of,
    fitting,
    history_of,
    instruction,
    newest_leaf,
    path_to,
    with_attachments,
)


def tree(*rows):
    """(id, parent, role, text) as stored messages, in order of creation."""
    return {row[0]: PromptMessage(row[0], row[1], row[2], [{"text": row[3]}]) for row in rows}


SAID = tree(
    (1, None, "user", "a"), (2, 1, "model", "b"), (3, 2, "user", "c"), (4, 2, "user", "c again"), (5, 4, "model", "d")
)


def texts(contents):
    return ["".join(part.get("text", "") for part in content["parts"]) for content in contents]


def test_a_path_runs_from_the_root_to_its_leaf_and_leaves_siblings_out():
    assert [message.id for message in path_to(SAID, 5)] == [1, 2, 4, 5]
    assert [message.id for message in path_to(SAID, 3)] == [1, 2, 3]
    assert path_to(SAID, 99) == []


def test_the_newest_leaf_is_the_newest_message_without_replies():
    assert newest_leaf(SAID) == 5
    assert newest_leaf({}) is None


def test_a_history_that_is_cut_keeps_the_newest_and_begins_with_the_user():
    path = path_to(SAID, 4)

    assert texts(history_of(path, 40, 1000)) == ["a", "b", "c again"]
    assert texts(history_of(path, 2, 1000)) == ["c again"]
    assert texts(history_of(path, 40, 7)) == ["c again"]


def test_a_whole_history_may_begin_with_the_models_words():
    said = path_to(tree((1, None, "model", "Welcome."), (2, 1, "user", "a")), 2)

    assert texts(history_of(said, 40, 1000)) == ["Welcome.", "a"]
    assert texts(history_of(said, 40, 4)) == ["a"]


def test_a_history_has_a_bound_of_photos():
    said = {at: PromptMessage(at, at - 1 or None, "user", [{"attachment": "a"}] * 16) for at in range(1, 41)}

    assert len(attachments_of(history_of(path_to(said, 40), 40, 1000))) == HISTORY_PHOTOS == 64
    lone = {1: PromptMessage(1, None, "user", [{"attachment": "a"}] * 100)}
    assert len(attachments_of(history_of(path_to(lone, 1), 40, 1000))) == 100


def test_the_newest_message_stays_however_long_it_is():
    path = path_to(tree((1, None, "user", "x" * 500)), 1)

    assert texts(history_of(path, 1, 10)) == ["x" * 500]


def test_thoughts_and_answers_that_never_began_are_left_out():
    said = {
        1: PromptMessage(1, None, "user", [{"text": "a"}]),
        2: PromptMessage(2, 1, "model", []),
        3: PromptMessage(3, 2, "user", [{"text": "b"}]),
        4: PromptMessage(4, 3, "model", [{"text": "hm", "thought": True}, {"text": "c"}]),
        5: PromptMessage(5, 4, "user", [{"text": "d"}]),
    }

    assert texts(history_of(path_to(said, 5), 40, 1000)) == ["a", "b", "c", "d"]


def test_stored_photos_become_parts_and_one_that_is_gone_is_spoken_of():
    contents = [{"role": "user", "parts": [{"text": "x"}, {"attachment": "p1"}, {"attachment": "p2"}]}]
    photo = {"inlineData": {"mimeType": "image/jpeg", "data": "AAAA"}}

    assert attachments_of(contents) == ["p1", "p2"]
    assert with_attachments(contents, {"p1": photo})[0]["parts"] == [
        {"text": "x"},
        photo,
        {"text": "[a photo that is no longer kept]"},
    ]


def test_the_instruction_joins_what_is_said_and_names_the_language():
    assert instruction("", "Be brief.") == "Be brief."
    assert "pt-BR" in instruction("Be kind.", "", language="pt-BR")
    assert instruction() == ""


def prompt_of(*contents, context):
    """A prompt whose contents have so many bytes, three of which are counted as a token; the user begins."""
    said = [{"role": role, "parts": [{"text": "x" * size}]} for role, size in contents]
    return Prompt(Model("openai", "m", context=context), said)


def sizes(prompt):
    return [len(text) for text in texts(prompt.contents)]


def test_a_prompt_is_cut_to_its_model_s_context_from_the_oldest():
    prompt = prompt_of(("user", 300), ("model", 299), ("user", 298), ("model", 297), ("user", 296), context=400)

    assert sizes(fitting(prompt, 50)) == [298, 297, 296]
    assert sizes(fitting(prompt, 199)) == [296]


def test_an_answer_that_may_be_long_takes_half_of_the_context_at_most():
    prompt = prompt_of(("user", 300), ("model", 100), ("user", 200), context=420)

    assert sizes(fitting(prompt, 100_000)) == sizes(fitting(prompt, 210)) == [300, 100, 200]


def test_a_continuation_keeps_its_question_however_long_it_is():
    prompt = prompt_of(("user", 300), ("model", 300), ("user", 3000), ("model", 100), context=100)

    assert sizes(fitting(prompt, 10)) == [3000, 100]


def test_a_prompt_that_is_cut_does_not_begin_with_the_results_of_calls():
    results = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}
    prompt = prompt_of(("user", 900), ("model", 1), ("user", 2), context=200)
    contents = [prompt.contents[0], prompt.contents[1], results, prompt.contents[1], prompt.contents[2]]

    assert fitting(replace(prompt, contents=contents), 10).contents == [prompt.contents[2]]
