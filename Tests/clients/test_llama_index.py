"""llama-index-llms-ollama."""

import pytest
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.ollama import Ollama
from pydantic import BaseModel

import pictures
from pictures import assert_shows
from stub_upstream import Answer, Apprentice


@pytest.fixture
def model(bridge):
    return Ollama(model="seer", base_url=bridge.url, request_timeout=30, context_window=32768)


def test_chat_and_complete(model, stub):
    assert model.chat([ChatMessage("Hi")]).message.content == "Hello from the stub."
    assert model.complete("Hi").text == "Hello from the stub."
    assert "".join(part.delta for part in model.stream_chat([ChatMessage("Hi")])) == "Hello from the stub."
    assert list(model.stream_complete("Hi"))[-1].text == "Hello from the stub."


async def test_asynchronously(model, stub):
    assert (await model.achat([ChatMessage("Hi")])).message.content == "Hello from the stub."
    parts = [part.delta async for part in await model.astream_chat([ChatMessage("Hi")])]
    assert "".join(parts) == "Hello from the stub."


def test_context_window_is_asked_for(bridge, stub):
    model = Ollama(model="seer", base_url=bridge.url, context_window=-1)
    assert model.metadata.context_window == 32768


def test_picture(model, stub):
    data = pictures.photo_path("coffee").read_bytes()
    message = ChatMessage(role="user", blocks=[TextBlock(text="What is it?"), ImageBlock(image=data)])
    assert "".join(part.delta for part in model.stream_chat([message])) == "Hello from the stub."
    assert_shows(stub.last.pictures()[0], pictures.photo("coffee"))


def test_tool_round_trip(model, stub):
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    tool = FunctionTool.from_defaults(add)
    stub.script(Answer(pieces=[], tool_calls=[("call_1", "add", {"a": 2, "b": 3})], finish="tool_calls"), Answer(pieces=["5."]))
    first = model.chat_with_tools([tool], user_msg="2 + 3?")
    [call] = model.get_tool_calls_from_response(first)
    assert (call.tool_name, call.tool_kwargs) == ("add", {"a": 2, "b": 3})
    result = tool(**call.tool_kwargs)
    history = [
        ChatMessage("2 + 3?"), first.message,
        ChatMessage(role="tool", content=str(result), additional_kwargs={"tool_call_id": call.tool_id, "tool_name": "add"}),
    ]
    assert model.chat(history).message.content == "5."
    _, assistant, answer = stub.last.body["messages"]
    assert answer["role"] == "tool" and answer["content"] == "5"
    assert answer["tool_call_id"] == assistant["tool_calls"][0]["id"]


def test_thinking(bridge, stub):
    stub.script(Answer(pieces=["42"], thinking=["Hm,", " well."]))
    model = Ollama(model="seer", base_url=bridge.url, thinking=True, context_window=32768)
    answer = model.chat([ChatMessage("?")])
    assert answer.message.content == "42"
    assert "Hm, well." in str(answer.message.blocks) + str(answer.message.additional_kwargs)


def test_thinking_stream(bridge, stub):
    stub.script(Answer(pieces=["4", "2"], thinking=["Hm,", " well."]))
    model = Ollama(model="seer", base_url=bridge.url, thinking=True, context_window=32768)
    parts = list(model.stream_chat([ChatMessage("?")]))
    assert "".join(part.delta or "" for part in parts) == "42"
    assert [part.additional_kwargs["thinking_delta"] for part in parts if part.additional_kwargs.get("thinking_delta")] == ["Hm,", " well."]


async def test_tool_round_trip_in_a_stream(model, stub):
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    tool = FunctionTool.from_defaults(add)
    stub.script(Answer(pieces=[], tool_calls=[("call_1", "add", {"a": 2, "b": 3})], finish="tool_calls"), Answer(pieces=["It is", " 5."]))
    parts = [part async for part in await model.astream_chat_with_tools([tool], user_msg="2 + 3?")]
    [call] = model.get_tool_calls_from_response(parts[-1])
    history = [
        ChatMessage("2 + 3?"), parts[-1].message,
        ChatMessage(role="tool", content=str(tool(**call.tool_kwargs)), additional_kwargs={"tool_call_id": call.tool_id, "tool_name": "add"}),
    ]
    assert "".join([part.delta or "" async for part in await model.astream_chat(history)]) == "It is 5."
    _, assistant, answer = stub.last.body["messages"]
    assert answer["content"] == "5" and answer["tool_call_id"] == assistant["tool_calls"][0]["id"]


def test_structured(model, stub):
    class Cat(BaseModel):
        name: str
        age: int

    stub.script(Apprentice())
    cat = model.structured_predict(Cat, PromptTemplate("A cat named 'Minka' who is 7"))
    assert (cat.name, cat.age) == ("Minka", 7)
