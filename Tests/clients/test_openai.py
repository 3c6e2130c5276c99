"""Clients of OpenAI's API, on /v1 of the same port: the `openai` package and pydantic-ai."""

import json

import httpx
import openai
import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import pictures
from pictures import assert_shows, base64_of
from stub_upstream import Answer, Apprentice, Reply, failure


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


@pytest.mark.parametrize("stream", [False, True])
def test_tool_round_trip(client, stub, stream):
    stub.script(Answer(pieces=[], tool_calls=[("call_1", "get_weather", {"city": "Bonn"})], finish="tool_calls"), Answer(pieces=["Ra", "in."]))
    call = dict(model="seer", tools=[TOOL])
    if stream:
        with client.chat.completions.stream(messages=ASK, **call) as events:
            message = events.get_final_completion().choices[0].message
    else:
        message = client.chat.completions.create(messages=ASK, **call).choices[0].message
    [tool_call] = message.tool_calls
    assert json.loads(tool_call.function.arguments) == {"city": "Bonn"}
    history = [*ASK, message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": tool_call.id, "content": "rain"}]
    assert client.chat.completions.create(messages=history, **call).choices[0].message.content == "Rain."
    _, assistant, result = stub.last.body["messages"]
    assert result == {"role": "tool", "tool_call_id": "call_1", "content": "rain"} and assistant["tool_calls"][0]["id"] == "call_1"


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_thinking_stream(client, stub, key):
    """Clients read one of two names; both are there whichever the upstream uses."""
    stub.script(Answer(pieces=["4", "2"], thinking=["Hm,", " well."], thinking_key=key))
    chunks = list(client.chat.completions.create(model="seer", messages=ASK, stream=True))
    for name in ("reasoning_content", "reasoning"):
        assert [getattr(chunk.choices[0].delta, name) for chunk in chunks if hasattr(chunk.choices[0].delta, name)] == ["Hm,", " well."]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "42"


def test_unknown_parameters_pass(client, stub):
    client.chat.completions.create(model="seer", messages=ASK, extra_body={"top_k": 7, "vendor": {"a": [1, None]}, "big": 12345678901234567890})
    body = stub.last.body
    assert (body["top_k"], body["vendor"], body["big"]) == (7, {"a": [1, None]}, 12345678901234567890)


def test_completions_and_embeddings(client, stub):
    assert client.completions.create(model="seer", prompt="def add(a, b):").choices[0].text == "return a + b"
    answer = client.embeddings.create(model="embedder", input=["a", "bb"], encoding_format="float")
    assert len(answer.data) == 2 and answer.model == "embedder"


def test_embeddings_as_base64(client, stub):
    """What the package asks for when nobody says otherwise."""
    answer = client.embeddings.create(model="embedder", input=["a", "bb"])
    assert stub.last.body["encoding_format"] == "base64"
    assert [vector.embedding[0] for vector in sorted(answer.data, key=lambda vector: vector.index)] == [2.0, 3.0]
    raw = httpx.post(f"{client.base_url}embeddings", json={"model": "embedder", "input": "a", "encoding_format": "base64"}).json()
    assert isinstance(raw["data"][0]["embedding"], str) and raw["model"] == "embedder"


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


def test_error_inside_a_stream(client, stub):
    first = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "upstream-seer", "choices": [{"index": 0, "delta": {"content": "Hel"}, "finish_reason": None}]}
    error = {"error": {"message": "Key sk-stub-0123456789abcdef is out of credit, upstream of sk-proj-abcdefghijklmnop", "code": 402}}
    chunks = [f"data: {json.dumps(event)}\r\n\r\n".encode() for event in (first, error)]
    stub.script(Reply(content_type="text/event-stream", chunks=chunks))
    text = ""
    with pytest.raises(openai.APIError) as caught:
        for chunk in client.chat.completions.create(model="seer", messages=ASK, stream=True):
            assert chunk.model == "seer"
            text += chunk.choices[0].delta.content
    assert text == "Hel" and "out of credit" in str(caught.value)
    assert "0123456789abcdef" not in str(caught.value) and "abcdefghijklmnop" not in str(caught.value)
    assert set(caught.value.body) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("stream", [False, True])
def test_error_instead_of_an_answer_has_a_status(client, stub, stream):
    error = {"error": {"message": "Slow down.", "code": 429}}
    if stream:
        stub.script(Reply(content_type="text/event-stream", chunks=[f"data: {json.dumps(error)}\n\n".encode()]))
    else:
        stub.script(Reply(body=json.dumps(error).encode()))
    with pytest.raises(openai.RateLimitError, match="Slow down."):
        client.chat.completions.create(model="seer", messages=ASK, stream=stream)


@pytest.mark.parametrize("stream", [False, True])
def test_a_web_page_is_no_answer(client, stub, stream):
    stub.script(Reply(content_type="text/html", body=b"<html>Please sign in to the hotel</html>"))
    with pytest.raises(openai.InternalServerError, match="web page"):
        client.chat.completions.create(model="seer", messages=ASK, stream=stream)


def test_the_field_an_upstream_blames(client, stub):
    stub.script(failure(400, "Too hot.", param="temperature"))
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="seer", messages=ASK, temperature=1.9)
    assert caught.value.param == "temperature"


def test_events_over_several_lines(client, stub):
    lines = [b'data:{"id":"1","object":"chat.completion.chunk","created":1,', b'data: "model":"upstream-seer",', b": ping", b'data:"choices":[{"index":0,"delta":{"content":"Hi"},', b'data: "finish_reason":"stop"}]}', b"", b"data:[DONE]", b"", b""]
    stub.script(Reply(content_type="text/event-stream", chunks=[line + b"\r\n" for line in lines]))
    [chunk] = client.chat.completions.create(model="seer", messages=ASK, stream=True)
    assert (chunk.model, chunk.choices[0].delta.content) == ("seer", "Hi")


def test_what_an_upstream_refused_is_not_sent_again(new_bridge, stub):
    bridge = new_bridge()
    client = openai.OpenAI(base_url=bridge.url + "/v1", api_key="x", max_retries=0)
    stub.script(failure(400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", param="max_tokens"), Answer())
    for _ in range(2):
        assert client.chat.completions.create(model="seer", messages=ASK, max_tokens=9, seed=4).choices[0].message.content
    refused, second, third = [request.body for request in stub.requests]
    assert refused["max_tokens"] == 9
    for body in (second, third):
        assert body["max_completion_tokens"] == 9 and "max_tokens" not in body and body["seed"] == 4
    # A lesson that can change nothing here is no reason to ask again.
    stub.reset()
    stub.script(failure(400, "The reasoning_content is missing in the assistant message."))
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="seer", messages=ASK)
    assert len(stub.requests) == 1


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


async def test_pydantic_ai_thinking_stream(pydantic_model, stub):
    stub.script(Answer(pieces=["4", "2"], thinking=["Hm,", " well."]))
    async with Agent(pydantic_model).run_stream("?") as answer:
        assert await answer.get_output() == "42"
    parts = [part for message in answer.all_messages() for part in message.parts]
    assert [part.content for part in parts if part.part_kind == "thinking"] == ["Hm, well."]


async def test_pydantic_ai_structured(pydantic_model, stub):
    stub.script(Apprentice())
    answer = await Agent(pydantic_model, output_type=City).run("A city named 'Bonn' of 330000")
    assert (answer.output.name, answer.output.people) == ("Bonn", 330000)
