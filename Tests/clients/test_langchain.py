"""langchain-ollama: pictures, tools and thinking by hand, then LangChain's own published suite for chat models."""

import types

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_ollama import ChatOllama, OllamaEmbeddings, OllamaLLM
from langchain_tests.integration_tests import ChatModelIntegrationTests, EmbeddingsIntegrationTests

import pictures
from pictures import assert_shows, base64_of
from stub_upstream import Answer, Apprentice


@pytest.fixture
def model(bridge):
    return ChatOllama(model="seer", base_url=bridge.url)


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Rain in {city}"


def with_picture(data):
    return HumanMessage([{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": f"data:image/png;base64,{base64_of(data)}"}])


def test_streams_an_answer_about_a_picture(model, stub):
    chunks = list(model.stream([with_picture(pictures.photo_path("chelsea").read_bytes())]))
    assert "".join(chunk.content for chunk in chunks) == "Hello from the stub."
    assert len([chunk for chunk in chunks if chunk.content]) == 3
    [arrived] = stub.last.pictures()
    assert_shows(arrived, pictures.photo("chelsea"))


async def test_streams_asynchronously(model, stub):
    data = pictures.encode(pictures.with_alpha(pictures.graphic()), "WEBP", lossless=True, exact=True)
    text = "".join([chunk.content async for chunk in model.astream([with_picture(data)])])
    assert text == "Hello from the stub."
    assert_shows(stub.last.pictures()[0], pictures.seen_by_pillow(data))


def test_usage_and_metadata(model, stub):
    answer = model.invoke("Hi")
    assert answer.usage_metadata == {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
    assert answer.response_metadata["done_reason"] == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_tool_round_trip(model, stub, stream):
    stub.script(
        Answer(pieces=[], tool_calls=[("call_1", "get_weather", {"city": "Bonn"}), ("call_2", "get_weather", {"city": "Rome"})], finish="tool_calls"),
        Answer(pieces=["Rain."]),
    )
    bound = model.bind_tools([get_weather])
    messages = [HumanMessage("Weather?")]
    if stream:
        first = None
        for chunk in bound.stream(messages):
            first = chunk if first is None else first + chunk
    else:
        first = bound.invoke(messages)
    assert [(call["name"], call["args"]) for call in first.tool_calls] == [("get_weather", {"city": "Bonn"}), ("get_weather", {"city": "Rome"})]
    messages += [AIMessage(content=first.content, tool_calls=first.tool_calls)]
    messages += [ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"]) for call in first.tool_calls]
    assert bound.invoke(messages).content == "Rain."
    _, assistant, *results = stub.last.body["messages"]
    assert [result["tool_call_id"] for result in results] == [call["id"] for call in assistant["tool_calls"]]
    assert [result["content"] for result in results] == ["Rain in Bonn", "Rain in Rome"]


def test_thinking(bridge, stub):
    stub.script(Answer(pieces=["42"], thinking=["Hm,", " well."]))
    model = ChatOllama(model="seer", base_url=bridge.url, reasoning=True)
    answer = model.invoke("?")
    assert (answer.content, answer.additional_kwargs["reasoning_content"]) == ("42", "Hm, well.")
    chunks = list(model.stream("?"))
    assert "".join(chunk.additional_kwargs.get("reasoning_content", "") for chunk in chunks) == "Hm, well."


async def test_asynchronously_with_tools_and_thinking(bridge, stub):
    stub.script(
        Answer(pieces=[], thinking=["I must", " look."], tool_calls=[("call_1", "get_weather", {"city": "Bonn"})], finish="tool_calls"),
        Answer(pieces=["Ra", "in."], thinking=["It is wet."]),
    )
    bound = ChatOllama(model="seer", base_url=bridge.url, reasoning=True).bind_tools([get_weather])
    messages, first = [HumanMessage("Weather?")], None
    async for chunk in bound.astream(messages):
        first = chunk if first is None else first + chunk
    assert first.additional_kwargs["reasoning_content"] == "I must look."
    [call] = first.tool_calls
    messages += [AIMessage(first.content, tool_calls=first.tool_calls), ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"])]
    chunks = [chunk async for chunk in bound.astream(messages)]
    assert "".join(chunk.content for chunk in chunks) == "Rain."
    assert "".join(chunk.additional_kwargs.get("reasoning_content", "") for chunk in chunks) == "It is wet."
    assert stub.last.body["messages"][-1]["content"] == "Rain in Bonn"


def test_plain_completion_model(bridge, stub):
    assert OllamaLLM(model="seer", base_url=bridge.url).invoke("Why?") == "Hello from the stub."


def test_the_model_is_looked_up_when_asked_to(bridge, stub):
    ChatOllama(model="seer", base_url=bridge.url, validate_model_on_init=True)
    with pytest.raises(ValueError, match="nobody"):
        ChatOllama(model="nobody", base_url=bridge.url, validate_model_on_init=True)


class TestStandardSuite(ChatModelIntegrationTests):
    """As LangChain publishes it, with a model that does as it is told."""

    @pytest.fixture(autouse=True)
    def surroundings(self, bridge, stub, monkeypatch):
        stub.script(Apprentice())
        TestStandardSuite.url = bridge.url
        # The suite takes its picture from the web; here there is none, and one of ours does as well.
        picture = types.SimpleNamespace(content=pictures.photo_path("chelsea").read_bytes())
        monkeypatch.setattr(httpx, "get", lambda *_, **__: picture)

    @pytest.fixture
    def model(self, surroundings):
        return ChatOllama(**self.chat_model_params)

    @property
    def chat_model_class(self):
        return ChatOllama

    @property
    def chat_model_params(self):
        return {"model": "seer", "base_url": TestStandardSuite.url, "reasoning": False}

    @property
    def supports_image_inputs(self):
        return True

    @property
    def supports_json_mode(self):
        return True

    @property
    def has_tool_choice(self):
        # Ollama's API has none.
        return False


class TestStandardEmbeddingsSuite(EmbeddingsIntegrationTests):
    @pytest.fixture(autouse=True)
    def surroundings(self, bridge, stub):
        TestStandardEmbeddingsSuite.url = bridge.url

    @pytest.fixture
    def model(self, surroundings):
        return OllamaEmbeddings(**self.embedding_model_params)

    @property
    def embeddings_class(self):
        return OllamaEmbeddings

    @property
    def embedding_model_params(self):
        return {"model": "embedder", "base_url": TestStandardEmbeddingsSuite.url}
