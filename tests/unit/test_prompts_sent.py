"""The prompts that models receive: branch of the tree, instructions, language and photos."""

from typing import Any

from django.test import AsyncClient

from chat.accounts import tokens
from chat.models import Conversation, Message, Stream
from tests.catalogue import providers
from tests.faults.arena import environment
from tests.inside import Core


def sent(core: Core) -> list[tuple[str, Any]]:
    """The newest request's messages."""
    return [(message["role"], message["content"]) for message in core.model.asked[-1].json()["messages"]]


async def answered(core: Core, question: str, **fields: Any) -> Stream:
    started = await core.ask(question, **fields)
    await core.ended(started)
    return started


async def test_a_conversation_s_own_system_prompt_comes_before_the_request_s_and_the_language_last(core: Core):
    started = await answered(core, "words=1")
    client, headers = AsyncClient(), {"Authorization": f"Bearer {tokens.access_for(core.user)}"}
    address = f"/v2/conversations/{started.conversation_id}"
    given = await client.patch(address, {"system": "You are a pirate."}, "application/json", headers=headers)
    assert given.status_code == 200
    await answered(
        core,
        "words=2",
        conversation_id=started.conversation_id,
        system={"parts": [{"text": "Be brief."}]},
        language="pt-BR",
    )

    said = sent(core)
    assert said[0] == ("system", "You are a pirate.\n\nBe brief.\n\nAnswer in the language with the tag pt-BR.")
    assert [role for role, _ in said] == ["system", "user", "assistant", "user"]
    assert (await client.get(address, headers=headers)).json()["system"] == "You are a pirate."
    long = await client.patch(address, {"system": "x" * 9000}, "application/json", headers=headers)
    assert long.status_code == 400


async def test_only_the_branch_that_is_answered_is_sent(core: Core):
    first = await answered(core, "words=1 first")
    conversation = await Conversation.objects.aget(pk=first.conversation_id)
    await answered(core, "words=1 second", conversation_id=conversation.pk)
    root = await Message.objects.aget(conversation=conversation, parent=None)
    answer = await Message.objects.aget(parent=root)
    await answered(core, "words=1 other", conversation_id=conversation.pk, parent_id=answer.pk)

    assert [content for role, content in sent(core) if role == "user"] == ["words=1 first", "words=1 other"]


async def test_without_a_parent_a_question_begins_its_conversation_anew(core: Core):
    first = await answered(core, "words=1 first")
    await answered(core, "words=1 second", conversation_id=first.conversation_id, parent_id=None)

    assert [content for role, content in sent(core) if role == "user"] == ["words=1 second"]
    roots = Message.objects.filter(conversation=first.conversation_id, parent=None)
    assert [message.text async for message in roots.order_by("created_at")] == ["words=1 first", "words=1 second"]


async def test_a_long_conversation_is_cut_to_the_model_s_context_with_the_newest_kept(core: Core):
    providers.configure(environment(core.model.url, OPENAI_CONTEXT="1200"))
    started = await answered(core, "words=1 " + "old " * 400)
    for number in range(3):
        await answered(core, f"words=1 {number} " + "new " * 60, conversation_id=started.conversation_id)

    questions = [content.split()[1] for role, content in sent(core) if role == "user"]
    assert "old" not in questions
    assert questions[-1] == "2"
