"""litellm on both sides: as a client of Ollama's API in front, and as a server of OpenAI's API behind."""

import os
import pathlib
import socket
import subprocess
import sys
import time

import httpx
import ollama
import pytest

# Otherwise it asks the web for a list of prices as it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm  # noqa: E402

import pictures  # noqa: E402
from bridge import Bridge  # noqa: E402
from pictures import assert_shows, base64_of  # noqa: E402
from stub_upstream import Answer  # noqa: E402

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
ASK = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def model(bridge):
    return {"model": "ollama_chat/seer", "api_base": bridge.url}


def test_chat_and_stream(model, stub):
    assert litellm.completion(messages=ASK, **model).choices[0].message.content == "Hello from the stub."
    parts = litellm.completion(messages=ASK, stream=True, **model)
    assert "".join(part.choices[0].delta.content or "" for part in parts) == "Hello from the stub."


async def test_asynchronously(model, stub):
    parts = await litellm.acompletion(messages=ASK, stream=True, **model)
    assert "".join([part.choices[0].delta.content or "" async for part in parts]) == "Hello from the stub."


def test_picture(model, stub):
    url = "data:image/png;base64," + base64_of(pictures.photo_path("chelsea").read_bytes())
    content = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": url}}]
    litellm.completion(messages=[{"role": "user", "content": content}], **model)
    assert_shows(stub.last.pictures()[0], pictures.photo("chelsea"))


def test_tool_round_trip(model, stub):
    stub.script(Answer(pieces=[], tool_calls=[("call_1", "get_weather", {"city": "Bonn"})], finish="tool_calls"), Answer(pieces=["Rain."]))
    first = litellm.completion(messages=ASK, tools=[TOOL], **model).choices[0].message
    [call] = first.tool_calls
    assert call.function.name == "get_weather" and "Bonn" in call.function.arguments
    history = [*ASK, first.model_dump(), {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    assert litellm.completion(messages=history, tools=[TOOL], **model).choices[0].message.content == "Rain."
    result = stub.last.body["messages"][-1]
    assert result["role"] == "tool" and result["tool_call_id"] == stub.last.body["messages"][-2]["tool_calls"][0]["id"]


def test_thinking(model, stub):
    stub.script(Answer(pieces=["42"], thinking=["Hm."]))
    answer = litellm.completion(messages=ASK, reasoning_effort="low", **model).choices[0].message
    assert (answer.content, answer.reasoning_content) == ("42", "Hm.")


def test_thinking_stream(model, stub):
    stub.script(Answer(pieces=["4", "2"], thinking=["Hm,", " well."]))
    deltas = [part.choices[0].delta for part in litellm.completion(messages=ASK, reasoning_effort="low", stream=True, **model)]
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "Hm, well."
    assert "".join(delta.content or "" for delta in deltas) == "42"


async def test_tool_round_trip_in_a_stream(model, stub):
    stub.script(Answer(pieces=[], tool_calls=[("call_1", "get_weather", {"city": "Bonn"})], finish="tool_calls"), Answer(pieces=["Ra", "in."]))
    parts = [part async for part in await litellm.acompletion(messages=ASK, tools=[TOOL], stream=True, **model)]
    first = litellm.stream_chunk_builder(parts).choices[0].message
    [call] = first.tool_calls
    assert call.function.name == "get_weather" and "Bonn" in call.function.arguments
    history = [*ASK, first.model_dump(), {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    parts = [part async for part in await litellm.acompletion(messages=history, tools=[TOOL], stream=True, **model)]
    assert "".join(part.choices[0].delta.content or "" for part in parts) == "Rain."
    result = stub.last.body["messages"][-1]
    assert result["content"] == "rain" and result["tool_call_id"] == stub.last.body["messages"][-2]["tool_calls"][0]["id"]


def test_plain_generate(bridge, stub):
    answer = litellm.completion(model="ollama/seer", api_base=bridge.url, messages=ASK)
    assert answer.choices[0].message.content == "Hello from the stub."


def test_embedding(bridge, stub):
    answer = litellm.embedding(model="ollama/embedder", input=["a", "b"], api_base=bridge.url)
    assert len(answer.data) == 2


# Behind: a real OpenAI-compatible server that nobody here wrote


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("litellm")
    (folder / "config.yaml").write_text("""
model_list:
  - model_name: mocked
    litellm_params: { model: openai/mocked, api_key: none, mock_response: "A mocked answer of a few words." }
  - model_name: failing
    litellm_params: { model: openai/failing, api_key: none, mock_response: "litellm.RateLimitError" }
general_settings: { master_key: sk-proxy-key }
router_settings: { num_retries: 0 }
""")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    log = open(folder / "log", "wb")
    command = [str(pathlib.Path(sys.executable).parent / "litellm"), "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
    process = subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
            try:
                if httpx.get(url + "/health/liveliness", timeout=2).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)
        log.close()


@pytest.fixture(scope="module")
def bridge_to_proxy(proxy):
    models = {
        "providers": {"litellm": {"base_url": proxy + "/v1", "api_key_env": "PROXY_KEY", "dialect": "generic"}},
        "models": {name: {"provider": "litellm", "model": name, "vision": True, "tools": True} for name in ("mocked", "failing")},
    }
    with Bridge(models, environment={"PROXY_KEY": "sk-proxy-key"}) as bridge:
        yield bridge


def test_foreign_upstream(bridge_to_proxy):
    client = ollama.Client(host=bridge_to_proxy.url, timeout=30)
    picture = pictures.encode(pictures.with_alpha(pictures.graphic()), "PNG")
    messages = [{"role": "user", "content": "What is it?", "images": [picture]}]
    assert client.chat("mocked", messages).message.content == "A mocked answer of a few words."
    parts = list(client.chat("mocked", messages, stream=True))
    assert "".join(part.message.content for part in parts) == "A mocked answer of a few words."
    assert parts[-1].done and parts[-1].prompt_eval_count >= 1 and parts[-1].eval_count >= 1


def test_foreign_upstream_that_refuses(bridge_to_proxy):
    client = ollama.Client(host=bridge_to_proxy.url, timeout=30)
    with pytest.raises(ollama.ResponseError) as caught:
        client.chat("failing", ASK)
    assert caught.value.status_code == 429
