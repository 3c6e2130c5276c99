"""The `ollama` package, blocking and asynchronous, as its users use it."""

import asyncio
import json
import threading
import time

import httpx
import ollama
import pytest
from pydantic import BaseModel

import pictures
from bridge import REPOSITORY, stub_catalog
from pictures import assert_shows, base64_of
from stub_upstream import Answer, Reply, failure, sse, text_of


@pytest.fixture
def client(bridge):
    return ollama.Client(host=bridge.url, timeout=30)


@pytest.fixture
def async_client(bridge):
    return ollama.AsyncClient(host=bridge.url, timeout=30)


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def ask(text="Hi", **more):
    return [{"role": "user", "content": text, **more}]


# Chat and generate


def test_chat(client, stub):
    answer = client.chat("seer", ask())
    assert answer.message.role == "assistant"
    assert answer.message.content == "Hello from the stub."
    assert answer.done and answer.done_reason == "stop"
    assert answer.model == "seer"
    assert (answer.prompt_eval_count, answer.eval_count) == (11, 7)
    durations = answer.total_duration, answer.load_duration, answer.prompt_eval_duration, answer.eval_duration
    assert all(isinstance(value, int) and value >= 1 for value in durations)
    assert sum(durations[1:]) <= durations[0]
    assert stub.last.path == "/v1/chat/completions"
    assert stub.last.body["model"] == "upstream-seer"
    assert stub.last.body["messages"] == ask()
    assert stub.last.headers["Authorization"] == "Bearer sk-stub-0123456789abcdef"


def test_chat_streaming(client, stub):
    parts = list(client.chat("seer", ask(), stream=True))
    assert [part.message.content for part in parts] == ["Hello", " from", " the stub.", ""]
    assert [part.done for part in parts] == [False, False, False, True]
    assert parts[-1].done_reason == "stop" and parts[-1].eval_count == 7
    assert all(part.message.role == "assistant" for part in parts)
    assert stub.last.body["stream"] is True


def test_first_words_arrive_while_the_upstream_still_thinks(client, stub):
    """Nothing is collected on the way: the gate opens only after the first piece was read."""
    answer = Answer(gate=threading.Event())
    stub.script(answer)
    parts = client.chat("seer", ask(), stream=True)
    assert next(parts).message.content == "Hello"
    answer.gate.set()
    assert "".join(part.message.content for part in parts) == " from the stub."


def test_generate(client, stub):
    answer = client.generate("seer", "Why?", system="Be brief.")
    assert answer.response == "Hello from the stub."
    assert answer.done_reason == "stop"
    assert [(message["role"], message["content"]) for message in stub.last.body["messages"]] == [("system", "Be brief."), ("user", "Why?")]


def test_generate_streaming(client, stub):
    parts = list(client.generate("seer", "Why?", stream=True))
    assert "".join(part.response for part in parts) == "Hello from the stub."
    assert [part.done for part in parts].count(True) == 1 and parts[-1].done


async def test_async_chat_and_generate(async_client, stub):
    answer = await async_client.chat("seer", ask())
    assert answer.message.content == "Hello from the stub."
    words = [part.message.content async for part in await async_client.chat("seer", ask(), stream=True)]
    assert "".join(words) == "Hello from the stub."
    words = [part.response async for part in await async_client.generate("seer", "Why?", stream=True)]
    assert "".join(words) == "Hello from the stub."


async def test_many_at_once_do_not_mix(async_client, stub):
    class Echo(Answer):
        def reply(self, request):
            return Answer(pieces=[word + " " for word in text_of(request["messages"][-1]).split()]).reply(request)

    stub.script(Echo())

    async def one(number):
        text = f"number {number} " * 20
        parts = await async_client.chat("seer", ask(text), stream=True)
        return "".join([part.message.content async for part in parts]).split() == text.split()

    assert all(await asyncio.gather(*(one(number) for number in range(40))))


def test_options_go_through_and_defaults_do_not(client, stub):
    client.chat("seer", ask())
    plain = set(stub.last.body)
    assert plain <= {"model", "messages", "stream", "stream_options"}
    client.chat("seer", ask(), options={
        "temperature": 0.5, "top_p": 0.75, "seed": 42, "stop": ["END"], "num_predict": 64, "presence_penalty": 0.25,
        "frequency_penalty": -0.5, "num_ctx": 8192, "mirostat": 1, "repeat_penalty": 1.1,
    })
    body = stub.last.body
    assert (body["temperature"], body["top_p"], body["seed"], body["stop"]) == (0.5, 0.75, 42, ["END"])
    assert body.get("max_tokens", body.get("max_completion_tokens")) == 64
    assert (body["presence_penalty"], body["frequency_penalty"]) == (0.25, -0.5), "penalties are not interchangeable"
    assert not {"num_ctx", "mirostat", "options", "num_predict"} & set(body)


def test_length(client, stub):
    stub.script(Answer(finish="length"))
    assert client.chat("seer", ask()).done_reason == "length"


def test_load_and_unload_ask_nobody(client, stub):
    assert client.generate("seer").done_reason == "load"
    assert client.generate("seer", keep_alive=0).done_reason == "unload"
    assert client.chat("seer").done_reason == "load"
    assert client.chat("seer", [], keep_alive=0).done_reason == "unload"
    assert stub.requests == []


def test_logprobs(client, stub):
    stub.script(Answer(logprobs=True))
    answer = client.chat("seer", ask(), logprobs=True, top_logprobs=2)
    assert [entry.token for entry in answer.logprobs] == ["Hello", " from", " the stub."]
    assert answer.logprobs[0].top_logprobs[1].token == "x"
    assert stub.last.body["logprobs"] is True and stub.last.body["top_logprobs"] == 2


# Pictures


@pytest.fixture(scope="module")
def picture_file():
    return pictures.photo_path("chelsea")


def picture_forms(path):
    data = path.read_bytes()
    return {"path": path, "path as str": str(path), "bytes": data, "base64": base64_of(data)}


@pytest.mark.parametrize("form", ["path", "path as str", "bytes", "base64"])
def test_pictures(client, stub, picture_file, form):
    image = picture_forms(picture_file)[form]
    expected = pictures.photo("chelsea")
    client.chat("seer", ask("What is it?", images=[image]))
    assert_shows(stub.last.pictures()[0], expected)
    client.generate("seer", "What is it?", images=[image])
    assert_shows(stub.last.pictures()[0], expected)


async def test_async_pictures(async_client, stub, picture_file):
    parts = await async_client.chat("seer", ask("What is it?", images=[picture_file]), stream=True)
    assert "".join([part.message.content async for part in parts]) == "Hello from the stub."
    assert_shows(stub.last.pictures()[0], pictures.photo("chelsea"))


# Tools, thinking, structure


def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: The city's name.
    """
    return f"Rain in {city}"


@pytest.mark.parametrize("stream", [False, True])
def test_tool_round_trip(client, stub, stream):
    stub.script(Answer(pieces=[], tool_calls=[("call_abc", "get_weather", {"city": "Zürich"})], finish="tool_calls"), Answer(pieces=["Take", " a coat."]))
    messages = ask("Weather in Zürich?")
    answers = client.chat("seer", messages, tools=[get_weather], stream=stream)
    answers = list(answers) if stream else [answers]
    assert answers[-1].done_reason == "stop"
    [message] = [answer.message for answer in answers if answer.message.tool_calls]
    [call] = message.tool_calls
    assert call.function.name == "get_weather"
    assert call.function.arguments == {"city": "Zürich"}
    sent = stub.last.body["tools"][0]["function"]
    assert sent["name"] == "get_weather" and sent["parameters"]["properties"]["city"]["type"] == "string"

    # The package knows no ids; the result is matched by name.
    messages += [message, {"role": "tool", "tool_name": "get_weather", "content": get_weather(**call.function.arguments)}]
    final = client.chat("seer", messages, tools=[get_weather])
    assert final.message.content == "Take a coat."
    _, assistant, tool = stub.last.body["messages"]
    [echoed] = assistant["tool_calls"]
    assert echoed["type"] == "function" and json.loads(echoed["function"]["arguments"]) == {"city": "Zürich"}
    assert tool["role"] == "tool" and tool["tool_call_id"] == echoed["id"] and tool["content"] == "Rain in Zürich"


def test_two_tool_calls_keep_their_order(client, stub):
    stub.script(Answer(pieces=["Looking."], tool_calls=[("a", "get_weather", {"city": "Bonn"}), ("b", "get_weather", {"city": "Rome"})], finish="tool_calls"))
    parts = list(client.chat("seer", ask(), tools=[WEATHER], stream=True))
    calls = [call for part in parts for call in part.message.tool_calls or []]
    assert [call.function.arguments["city"] for call in calls] == ["Bonn", "Rome"]
    assert "".join(part.message.content or "" for part in parts) == "Looking."
    assert all(len(part.message.tool_calls or []) <= 1 for part in parts)
    assert not parts[-1].message.tool_calls


async def test_async_tool_round_trip(async_client, stub):
    stub.script(Answer(pieces=[], tool_calls=[("call_abc", "get_weather", {"city": "Bonn"})], finish="tool_calls"), Answer(pieces=["Take", " a coat."]))
    messages = ask("Weather in Bonn?")
    parts = [part async for part in await async_client.chat("seer", messages, tools=[get_weather], stream=True)]
    [message] = [part.message for part in parts if part.message.tool_calls]
    [call] = message.tool_calls
    messages += [message, {"role": "tool", "tool_name": "get_weather", "content": get_weather(**call.function.arguments)}]
    parts = [part async for part in await async_client.chat("seer", messages, tools=[get_weather], stream=True)]
    assert "".join(part.message.content or "" for part in parts) == "Take a coat."
    _, assistant, tool = stub.last.body["messages"]
    assert tool["content"] == "Rain in Bonn" and tool["tool_call_id"] == assistant["tool_calls"][0]["id"]


async def test_async_thinking_stream(async_client, stub):
    stub.script(Answer(pieces=["4", "2."], thinking=["Hm,", " let me see."]))
    parts = [part async for part in await async_client.chat("seer", ask(), think=True, stream=True)]
    assert [part.message.thinking for part in parts if part.message.thinking] == ["Hm,", " let me see."]
    assert "".join(part.message.content or "" for part in parts) == "42."
    assert not any(part.message.thinking and part.message.content for part in parts)


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_thinking(client, stub, key):
    stub.script(Answer(pieces=["42."], thinking=["Hm,", " let me see."], thinking_key=key))
    answer = client.chat("seer", ask(), think=True)
    assert (answer.message.thinking, answer.message.content) == ("Hm, let me see.", "42.")
    parts = list(client.chat("seer", ask(), think="high", stream=True))
    assert "".join(part.message.thinking or "" for part in parts) == "Hm, let me see."
    assert not any(part.message.thinking and part.message.content for part in parts)
    # A client that does not want thoughts does not see any.
    assert client.chat("seer", ask(), think=False).message.thinking is None
    assert client.generate("seer", "Why?", think=True).thinking == "Hm, let me see."


def test_json_format(client, stub):
    stub.script(Answer(pieces=['{"a":', "1}"]))
    assert json.loads(client.chat("seer", ask("JSON please"), format="json").message.content) == {"a": 1}
    assert stub.last.body["response_format"] == {"type": "json_object"}


def test_schema_format(client, stub):
    class Country(BaseModel):
        name: str
        capital: str
        languages: list[str]

    stub.script(Answer(pieces=['{"name":"Chile","capital":"Santiago",', '"languages":["Spanish"]}']))
    answer = client.chat("seer", ask("Chile?"), format=Country.model_json_schema())
    assert Country.model_validate_json(answer.message.content).capital == "Santiago"
    format = stub.last.body["response_format"]
    assert format["type"] == "json_schema"
    assert format["json_schema"]["schema"] == Country.model_json_schema()
    assert format["json_schema"]["name"]
    assert not format["json_schema"].get("strict")


# Everything else


def test_embed(client, stub):
    answer = client.embed("embedder", ["one", "three"])
    assert len(answer.embeddings) == 2
    for vector in answer.embeddings:
        assert abs(sum(value * value for value in vector) - 1) < 1e-6
    # The stub gives them back to front; the longer text starts with the larger number.
    assert answer.embeddings[0][0] < answer.embeddings[1][0]
    assert answer.prompt_eval_count == 10
    assert answer.total_duration >= 1 and answer.load_duration >= 1
    assert len(client.embed("embedder", "one").embeddings) == 1
    assert len(client.embed("embedder", "one", dimensions=4).embeddings[0]) == 4
    assert stub.last.body["dimensions"] == 4
    assert client.embed("embedder", "").embeddings == []


def test_embed_batches_fit_every_upstream_that_may_be_asked(new_bridge, stub):
    models = stub_catalog(stub.url)
    models["providers"] |= {
        "gone": {"base_url": "http://127.0.0.1:9/v1", "dialect": "generic"}, "tight": {"base_url": stub.url, "dialect": {"embedding_batch": 100}},
    }
    routes = [{"provider": "gone", "model": "upstream-embedder"}, {"provider": "tight", "model": "upstream-embedder"}]
    models["models"]["spread"] = {"routes": routes, "strategy": "ordered", "embedding": True}
    bridge = new_bridge(models=models)
    answer = ollama.Client(host=bridge.url, timeout=30).embed("spread", ["x" * number for number in range(150)])
    assert len(answer.embeddings) == 150
    assert [len(request.body["input"]) for request in stub.requests] == [100, 50]


def test_embeddings_that_come_as_base64(client, stub):
    wanted = client.embed("embedder", ["one", "three"]).embeddings
    stub.embeds_as_base64 = True
    found = client.embed("embedder", ["one", "three"]).embeddings
    assert stub.last.body["encoding_format"] == "float"
    assert all(abs(a - b) < 1e-6 for one, other in zip(wanted, found) for a, b in zip(one, other))
    assert client.embeddings("embedder", "one").embedding[0] == 4.0


def test_embeddings(client, stub):
    assert len(client.embeddings("embedder", "one").embedding) == stub.dimensions


async def test_async_embed(async_client, stub):
    assert len((await async_client.embed("embedder", ["one", "two"])).embeddings) == 2


def test_list(client):
    models = {model.model: model for model in client.list().models}
    assert {"seer:latest", "blind:latest", "vendor/model:free"} <= set(models)
    assert len({model.digest for model in models.values()}) == len(models)
    for model in models.values():
        assert model.size > 0 and model.modified_at.tzinfo and model.details.format


def test_show(client):
    for name in ("seer", "seer:latest", "SEER"):
        answer = client.show(name)
        assert {"completion", "vision", "tools", "thinking"} <= set(answer.capabilities)
        architecture = answer.modelinfo["general.architecture"]
        assert answer.modelinfo[f"{architecture}.context_length"] == 32768
    assert "vision" not in client.show("blind").capabilities


def test_ps_lists_what_is_in_use(client, stub):
    client.chat("seer", ask(), keep_alive="5m")
    [seer] = [model for model in client.ps().models if model.model.startswith("seer")]
    assert seer.size_vram == seer.size and seer.context_length == 32768
    client.chat("seer", [], keep_alive=0)
    assert not [model for model in client.ps().models if model.model.startswith("seer")]


def test_ps_lists_a_model_while_it_answers(new_bridge, stub):
    client = ollama.Client(host=new_bridge().url, timeout=30)
    gate = threading.Event()
    stub.script(Answer(gate=gate))
    parts = client.chat("seer", ask(), stream=True, keep_alive=0)
    assert next(parts).message.content
    assert [model.model for model in client.ps().models] == ["seer:latest"]
    gate.set()
    assert list(parts)[-1].done
    deadline = time.monotonic() + 5
    while client.ps().models:
        assert time.monotonic() < deadline


def test_pull(client):
    assert client.pull("seer").status == "success"
    assert [part.status for part in client.pull("seer:latest", stream=True)][-1] == "success"
    with pytest.raises(ollama.ResponseError) as caught:
        client.pull("no-such-model")
    assert "file does not exist" in caught.value.error
    with pytest.raises(ollama.ResponseError):
        list(client.pull("no-such-model", stream=True))


def test_management_is_refused_in_words(client):
    for action in (lambda: client.delete("seer"), lambda: client.create("copy", from_="seer"), lambda: client.push("seer")):
        with pytest.raises(ollama.ResponseError) as caught:
            action()
        assert "not supported" in caught.value.error
    with pytest.raises(ollama.ResponseError) as caught:
        client.delete("no-such-model")
    assert (caught.value.status_code, caught.value.error) == (404, "model 'no-such-model' not found")


# Errors


def test_errors(client, stub):
    def error(action):
        with pytest.raises(ollama.ResponseError) as caught:
            action()
        return caught.value.status_code, caught.value.error

    assert error(lambda: client.chat("nobody", ask())) == (404, "model 'nobody' not found")
    assert error(lambda: client.show("nobody")) == (404, "model 'nobody:latest' not found")
    assert error(lambda: client.chat("blind", ask(), think=True)) == (400, '"blind" does not support thinking')
    assert error(lambda: client.chat("blind", ask(images=[pictures.encode(pictures.graphic(), "PNG")]))) == (400, "blind does not support vision")
    assert error(lambda: client.generate("seer", "x", images=[b"no image at all"])) == (400, "Only JPEG base64 strings or http(s) URLs are supported")
    assert stub.requests == []
    stub.script(failure(400, "That is too long."))
    assert error(lambda: client.chat("seer", ask())) == (400, "That is too long.")
    assert error(lambda: list(client.chat("seer", ask(), stream=True))) == (400, "That is too long.")


def test_error_in_mid_stream(client, stub):
    stub.script(Reply(content_type="text/event-stream", chunks=[
        sse({"choices": [{"index": 0, "delta": {"content": "Half an"}}]}), sse({"error": {"message": "The model fell over."}}),
    ]))
    words = []
    with pytest.raises(ollama.ResponseError) as caught:
        for part in client.chat("seer", ask(), stream=True):
            words.append(part.message.content)
            assert not part.done
    assert words == ["Half an"]
    assert caught.value.error == "The model fell over."


def test_cut_stream_is_an_error(client, stub):
    stub.script(Reply(content_type="text/event-stream", chunks=[sse({"choices": [{"index": 0, "delta": {"content": "Half an"}}]})], cut=True))
    with pytest.raises(ollama.ResponseError):
        list(client.chat("seer", ask(), stream=True))
    stub.script(Reply(content_type="text/event-stream", chunks=[sse({"choices": [{"index": 0, "delta": {"content": "Half an"}}]})]))
    with pytest.raises(ollama.ResponseError):
        list(client.chat("seer", ask(), stream=True))


def test_client_that_leaves_stops_the_upstream(bridge, stub):
    answer = Answer(gate=threading.Event())
    stub.script(answer)
    with httpx.stream("POST", bridge.url + "/api/chat", json={"model": "seer", "messages": ask()}, timeout=10) as reply:
        next(reply.iter_lines())
    assert stub.wait_for_hangup(), "the upstream still writes for a client that has gone"


# The demo model


def test_demo_model(demo):
    client = ollama.Client(host=demo.url)
    assert "demo:latest" in [model.model for model in client.list().models]
    path = pictures.photo_path("chelsea")
    answer = client.chat("demo", ask("What do you see?", images=[path]))
    assert "JPEG" in answer.message.content and "300 × 200" in answer.message.content
    assert "What do you see?" in answer.message.content
    words = [part.message.content for part in client.chat("demo", ask("Hello"), stream=True)]
    assert len(words) > 5 and "demo" in "".join(words)
    call = client.chat("demo", ask("get weather"), tools=[WEATHER]).message.tool_calls[0]
    assert call.function.name == "get_weather" and "city" in call.function.arguments


def test_shipped_catalog_without_keys_lists_only_the_demo(demo):
    assert [model.model for model in ollama.Client(host=demo.url).list().models] == ["demo:latest"]
    assert (REPOSITORY / "models.json").exists()
