"""Clients of OpenAI's API, on /v1 of the same port: the `openai` package and pydantic-ai."""

import json

import openai
import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import pictures
from pictures import assert_shows, base64_of
from stub_upstream import Answer, Apprentice, failure


@pytest.fixture
def client(bridge):
    return openai.OpenAI(base_url=bridge.url + "/v1", api_key="ollama", max_retries=0, timeout=30)


TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
ASK = [{"role": "user", "content": "Hi"}]


def test_chat(client, stub):
    answer = client.chat.completions.create(model="seer", messages=ASK, temperature=0.5, max_tokens=9)
    assert answer.choices[0].message.content == "Hello from the stub."
    assert answer.model == "seer", "the name the client knows, not the upstream's"
    assert answer.usage.total_tokens == 18
    body = stub.last.body
    assert (body["model"], body["temperature"]) == ("upstream-seer", 0.5)
    assert body.get("max_tokens", body.get("max_completion_tokens")) == 9
    assert stub.last.headers["Authorization"] == "Bearer sk-stub-0123456789abcdef", "the client's own key must not travel"


def test_stream(client, stub):
    chunks = list(client.chat.completions.create(model="seer:latest", messages=ASK, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello from the stub."
    assert {chunk.model for chunk in chunks} == {"seer:latest"}
    assert chunks[-1].usage.total_tokens == 18


def test_stream_without_usage_has_none(client, stub):
    chunks = list(client.chat.completions.create(model="seer", messages=ASK, stream=True))
    assert all(chunk.choices for chunk in chunks)


async def test_asynchronously(bridge, stub):
    async with openai.AsyncOpenAI(base_url=bridge.url + "/v1", api_key="x", max_retries=0) as client:
        stream = await client.chat.completions.create(model="seer", messages=ASK, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Hello from the stub."


def test_picture_from_url(client, stub, image_host):
    url = image_host.serve("/a.png", pictures.photo_path("chelsea").read_bytes(), "image/png")
    content = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": url, "detail": "high"}}]
    client.chat.completions.create(model="seer", messages=[{"role": "user", "content": content}])
    assert_shows(stub.last.pictures()[0], pictures.photo("chelsea"))
    assert stub.last.body["messages"][0]["content"][1]["image_url"]["detail"] == "high"


def test_tools(client, stub):
    stub.script(Answer(pieces=[], tool_calls=[("call_1", "get_weather", {"city": "Bonn"})], finish="tool_calls"))
    answer = client.chat.completions.create(model="seer", messages=ASK, tools=[TOOL], tool_choice="auto")
    [call] = answer.choices[0].message.tool_calls
    assert (call.id, call.function.name, json.loads(call.function.arguments)) == ("call_1", "get_weather", {"city": "Bonn"})
    assert answer.choices[0].finish_reason == "tool_calls"
    assert stub.last.body["tool_choice"] == "auto" and stub.last.body["tools"] == [TOOL]


def test_unknown_parameters_pass(client, stub):
    client.chat.completions.create(model="seer", messages=ASK, extra_body={"top_k": 7, "vendor": {"a": [1, None]}, "big": 12345678901234567890})
    body = stub.last.body
    assert (body["top_k"], body["vendor"], body["big"]) == (7, {"a": [1, None]}, 12345678901234567890)


def test_completions_and_embeddings(client, stub):
    assert client.completions.create(model="seer", prompt="def add(a, b):").choices[0].text == "return a + b"
    answer = client.embeddings.create(model="embedder", input=["a", "bb"], encoding_format="float")
    assert len(answer.data) == 2 and answer.model == "embedder"


def test_models(client):
    ids = [model.id for model in client.models.list()]
    assert {"seer:latest", "vendor/model:free"} <= set(ids) or {"seer", "vendor/model:free"} <= set(ids)
    assert "seer" in client.models.retrieve("seer").id


def test_errors(client, stub):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nobody", messages=ASK)
    assert caught.value.type == "not_found_error"
    stub.script(failure(429, "Slow down.", headers={"Retry-After": "70"}))
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="seer", messages=ASK)
    assert "Slow down." in str(caught.value) and caught.value.response.headers["retry-after"] == "70"
    stub.script(failure(400, "No."))
    with pytest.raises(openai.BadRequestError, match="No."):
        client.chat.completions.create(model="seer", messages=ASK, stream=True)


class City(BaseModel):
    name: str
    people: int


@pytest.fixture
def pydantic_model(bridge):
    return OpenAIChatModel("seer", provider=OpenAIProvider(base_url=bridge.url + "/v1", api_key="x"))


async def test_pydantic_ai_with_a_picture(pydantic_model, stub):
    picture = BinaryContent(pictures.photo_path("chelsea").read_bytes(), media_type="image/png")
    answer = await Agent(pydantic_model).run(["What is it?", picture])
    assert answer.output == "Hello from the stub."
    assert_shows(stub.last.pictures()[0], pictures.photo("chelsea"))


async def test_pydantic_ai_tool_round_trip(pydantic_model, stub):
    stub.script(Apprentice())
    agent = Agent(pydantic_model)

    @agent.tool_plain
    def square(number: int) -> int:
        return number * number

    answer = await agent.run("The square of 12?")
    assert "144" in answer.output


async def test_pydantic_ai_structured(pydantic_model, stub):
    stub.script(Apprentice())
    answer = await Agent(pydantic_model, output_type=City).run("A city named 'Bonn' of 330000")
    assert (answer.output.name, answer.output.people) == ("Bonn", 330000)
