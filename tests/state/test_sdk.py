"""The official SDK against what is stored."""

from collections.abc import AsyncIterator

import openai
import pytest
from openai import AsyncOpenAI

from tests.asgi.conftest import Stand
from tests.servers.answers import text_answer
from tests.state.peer import Peer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sdk(stand: Stand, peer: Peer) -> AsyncIterator[AsyncOpenAI]:
    client = AsyncOpenAI(
        base_url=f"{stand.url}/v1", api_key="key-of-the-client", max_retries=0, timeout=5
    )
    async with client:
        yield client


async def test_response_is_created_retrieved_and_deleted(sdk: AsyncOpenAI, peer: Peer) -> None:
    peer.upstream.reply(text_answer("Hello"))
    created = await sdk.responses.create(model="m", input="Hi")

    retrieved = await sdk.responses.retrieve(created.id, include=["reasoning.encrypted_content"])
    await sdk.responses.delete(created.id)

    assert retrieved.to_dict() == created.to_dict()
    with pytest.raises(openai.NotFoundError, match=r"Response with id .* not found\."):
        await sdk.responses.retrieve(created.id)


async def test_synchronous_response_is_not_cancelled(sdk: AsyncOpenAI, peer: Peer) -> None:
    peer.upstream.reply(text_answer("Hello"))
    created = await sdk.responses.create(model="m", input="Hi")

    with pytest.raises(openai.BadRequestError, match=r"Cannot cancel a synchronous response\."):
        await sdk.responses.cancel(created.id)


async def test_input_items_are_listed_over_all_pages(sdk: AsyncOpenAI, peer: Peer) -> None:
    peer.upstream.reply(text_answer("Hello"))
    given = [{"role": "user", "content": str(number)} for number in range(7)]
    created = await sdk.responses.create(model="m", input=given)  # type: ignore[arg-type]

    pages = sdk.responses.input_items.list(created.id, limit=3, order="asc")
    items = [item async for item in pages]

    assert [item.content[0].text for item in items] == list("0123456")  # type: ignore[union-attr]


async def test_stream_is_continued(sdk: AsyncOpenAI, peer: Peer) -> None:
    peer.upstream.reply(text_answer("a"), text_answer("b"))
    async with sdk.responses.stream(model="m", input="A") as stream:
        first = await stream.get_final_response()

    second = await sdk.responses.create(model="m", input="B", previous_response_id=first.id)

    assert second.output_text == "b"
    assert [text for _, text in peer.heard()] == ["A", "a", "B"]


async def test_unknown_previous_response_has_its_code(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        await sdk.responses.create(model="m", input="B", previous_response_id="resp_x")

    assert raised.value.code == "previous_response_not_found"


async def test_conversation_from_its_beginning_to_its_end(sdk: AsyncOpenAI, peer: Peer) -> None:
    conversation = await sdk.conversations.create(
        items=[{"role": "user", "content": "I am Ann."}], metadata={"a": "1"}
    )
    peer.upstream.reply(text_answer("Ann."))
    response = await sdk.responses.create(
        model="m", input="Who am I?", conversation=conversation.id
    )
    await sdk.conversations.update(conversation.id, metadata={"a": "2"})

    retrieved = await sdk.conversations.retrieve(conversation.id)
    items = [
        item async for item in sdk.conversations.items.list(conversation.id, order="asc", limit=2)
    ]
    one = await sdk.conversations.items.retrieve(items[0].id or "", conversation_id=conversation.id)
    await sdk.conversations.items.delete(one.id or "", conversation_id=conversation.id)
    added = await sdk.conversations.items.create(
        conversation.id, items=[{"role": "user", "content": "More"}]
    )
    deleted = await sdk.conversations.delete(conversation.id)

    assert response.conversation is not None
    assert response.conversation.id == conversation.id
    assert retrieved.metadata == {"a": "2"}
    assert [item.content[0].text for item in items] == [  # type: ignore[union-attr]
        "I am Ann.",
        "Who am I?",
        "Ann.",
    ]
    assert one == items[0]
    assert len(added.data) == 1
    assert deleted.deleted is True
    with pytest.raises(openai.NotFoundError):
        await sdk.conversations.retrieve(conversation.id)
