"""What well-known clients ask, in their order, and what they need to find in the answers.

Each scenario is a client's sequence of requests as read in its source (closed ones: as those who imitate Ollama for it report).
A step names the values the client cannot do without; everything else is free.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime

import pytest

import pictures
from pictures import base64_of
from raw_http import RawClient
from stub_upstream import Answer

PICTURE = base64_of(pictures.encode(pictures.graphic(), "PNG"))
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "d", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
CALLS = [("call_1", "get_weather", {"city": "Bonn"}), ("call_2", "get_weather", {"city": "Rome"})]

# Predicates: a type, a compiled pattern, a function, or a value to be equal to.

DIGEST = re.compile(r"[0-9a-f]{64}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
TAGGED = re.compile(r"[^:]+(:[^:]+)?")
VERSION = re.compile(r"\d+\.\d+\.\d+")


def at_least(limit):
    return lambda value: type(value) is int and value >= limit


def contains(*parts):
    return lambda value: all(part in value for part in parts)


def not_cloud(name):
    return not name.endswith("cloud")


def python_time(text):
    """As `datetime.fromisoformat` of Python 3.11 and pydantic read it."""
    return TIME.fullmatch(text) and datetime.fromisoformat(text).tzinfo is not None


def absent(value):
    return value is ABSENT


ABSENT = object()


def values(value, path):
    """All values at a path such as `models[*].details.format` or `[-1].done`; ABSENT where there is none."""
    found = [value]
    for part in re.findall(r"\[(?:\*|-?\d+)\]|(?:[^.\[\]\\]|\\\.)+", path):
        following = []
        for one in found:
            if part == "[*]":
                assert isinstance(one, list) and one, f"{path}: no items in {one}"
                following += one
            elif part.startswith("["):
                assert isinstance(one, list), f"{path}: no array but {one}"
                following.append(one[int(part[1:-1])])
            else:
                following.append(one.get(part.replace("\\.", "."), ABSENT) if isinstance(one, dict) else ABSENT)
        found = following
    return found


def holds(predicate, value):
    if isinstance(predicate, type):
        return type(value) is predicate
    if isinstance(predicate, re.Pattern):
        return isinstance(value, str) and predicate.fullmatch(value) is not None
    if callable(predicate):
        return value is not ABSENT and bool(predicate(value)) or (predicate is absent and value is ABSENT)
    return type(value) is type(predicate) and value == predicate


@dataclass
class Step:
    method: str
    path: str
    body: dict = None
    headers: dict = field(default_factory=dict)
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    # Path to predicate or list of predicates.
    needs: dict = field(default_factory=dict)
    # The exact body, for those that are no JSON.
    text: str = None
    # What the upstream says to this step.
    upstream: Answer = None


STREAM = "application/x-ndjson"

# What every line of a stream and its end are held to, whichever client reads it.
EVERY_LINE = {"[*].model": str, "[*].created_at": TIME, "[*].done": bool, "[*].error": absent, "[*].remote_host": absent, "[*].remote_model": absent}
METRICS = {
    f"[-1].{name}": at_least(1)
    for name in ("total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration")
}
CHAT_LINES = {
    **EVERY_LINE, **METRICS, "[*].message.role": "assistant", "[*].message.content": str, "[-1].done": True, "[-1].done_reason": "stop",
}
GENERATE_LINES = {**EVERY_LINE, **METRICS, "[*].response": str, "[-1].done": True, "[-1].done_reason": "stop"}

LISTING = {
    "models[*].name": [TAGGED, not_cloud, contains(":")], "models[*].model": [TAGGED, contains(":")], "models[*].digest": DIGEST,
    "models[*].modified_at": TIME, "models[*].size": at_least(1), "models[*].details.parent_model": str, "models[*].details.format": "gguf",
    "models[*].details.family": str, "models[*].details.families": list, "models[*].details.parameter_size": str,
    "models[*].details.quantization_level": str, "models[*].remote_host": absent, "models[*].remote_model": absent,
}
DETAILS = {
    "license": str, "modelfile": str, "parameters": str, "template": str, "system": str, "modified_at": TIME, "model_info": dict,
    "capabilities": [list, contains("completion")], "details.format": str, "details.family": str, "details.families": list,
    "details.parameter_size": str, "details.quantization_level": str, "details.parent_model": str, "remote_host": absent, "remote_model": absent,
    "model_info.general\\.architecture": str, "model_info.general\\.basename": str, "model_info.general\\.parameter_count": at_least(1),
}


def chat(content="Hi", **more):
    return {"model": "seer:latest", "messages": [{"role": "user", "content": content}], **more}


SCENARIOS = {
    "ollama CLI": [
        Step("HEAD", "/", content_type="text/plain; charset=utf-8", text=""),
        Step("POST", "/api/show", {"model": "seer"}, {"User-Agent": "ollama/0.13.5 (amd64 linux) Go/go1.24.1", "Accept": "application/json"},
             needs={**DETAILS, "capabilities": contains("completion", "vision")}),
        # `ollama run` loads first, then talks.
        Step("POST", "/api/generate", {"model": "seer"}, {"Accept": "application/x-ndjson"},
             needs={"done": True, "done_reason": "load", "response": "", "model": "seer", "total_duration": absent}),
        Step("POST", "/api/chat", chat("What is it?", model="seer", options={}, keep_alive=None),
             {"Accept": "application/x-ndjson"}, content_type=STREAM, needs={**CHAT_LINES, "[*].model": "seer"}),
        Step("GET", "/api/ps", needs={"models[*].name": str, "models[*].digest": DIGEST, "models[*].size": at_least(1), "models[*].size_vram": at_least(1), "models[*].expires_at": TIME}),
        Step("GET", "/api/tags", needs=LISTING),
        Step("POST", "/api/show", {"model": "nobody"}, status=404, needs={"error": "model 'nobody:latest' not found"}),
        Step("POST", "/api/pull", {"model": "seer", "name": "seer"}, content_type=STREAM, needs={"[0].status": "pulling manifest", "[-1].status": "success", "[*].error": absent}),
        Step("POST", "/api/pull", {"model": "nobody"}, content_type=STREAM, needs={"[-1].error": "pull model manifest: file does not exist"}),
        # Asks for thinking on an empty chat to learn whether the model can.
        Step("POST", "/api/chat", {"model": "blind", "messages": [], "think": True}, status=400, needs={"error": '"blind" does not support thinking'}),
    ],
    "ollama-vscode": [
        Step("GET", "/api/version", needs={"version": VERSION}),
        Step("GET", "/api/tags", needs={**LISTING, "models[*].capabilities": list}),
        Step("POST", "/api/show", {"name": "seer:latest"}, needs={**DETAILS, "capabilities": contains("tools", "vision")}),
        Step("GET", "/api/experimental/model-recommendations", needs={"recommendations": list}),
        Step("GET", "/api/status", needs={"cloud.disabled": True, "cloud.source": str}),
        Step("POST", "/api/chat", chat(stream=True, tools=[TOOL]), content_type=STREAM, needs=CHAT_LINES),
        Step("GET", "/api/ps", needs={"models[*].name": contains("seer"), "models[*].context_length": 32768}),
    ],
    "VS Code Copilot": [
        Step("GET", "/api/version", needs={"version": [VERSION, lambda text: tuple(map(int, text.split("."))) >= (0, 6, 4)]}),
        Step("GET", "/api/tags", headers={"Accept": "*/*"}, needs={"models[*].model": contains(":")}),
        Step("POST", "/api/show", {"model": "seer:latest"}, {"User-Agent": "GitHubCopilotChat/0.40.1"},
             needs={**DETAILS, "capabilities": contains("tools", "vision"), "model_info.general\\.basename": contains("seer")}),
        Step("POST", "/api/show", {"model": "nobody"}, status=404, needs={"error": str}),
        Step("POST", "/v1/chat/completions", {
            "model": "seer:latest", "stream": True, "stream_options": {"include_usage": True}, "tools": [TOOL],
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "data:image/webp;base64," + PICTURE}}]}],
        }, content_type=re.compile("text/event-stream.*"), needs={
            "[*].object": "chat.completion.chunk", "[*].model": "seer:latest", "[0].choices[0].delta.role": "assistant",
            "[-1].usage.total_tokens": 18, "[-2].choices[0].finish_reason": "stop",
        }),
    ],
    "JetBrains AI Assistant": [
        Step("GET", "/", content_type="text/plain; charset=utf-8", text="Ollama is running"),
        Step("GET", "/api/tags", needs=LISTING),
        Step("POST", "/api/show", {"name": "seer:latest"}, needs=DETAILS),
        Step("POST", "/api/chat", chat(stream=True), content_type=STREAM, needs=CHAT_LINES),
    ],
    "Zed": [
        Step("GET", "/api/tags", needs=LISTING),
        Step("POST", "/api/show", {"model": "seer:latest"}, needs={**DETAILS, "capabilities": contains("tools", "vision", "thinking")}),
        Step("POST", "/api/chat", chat(stream=True, keep_alive=-1, options={"num_ctx": 8192, "temperature": 1.0, "stop": []}, think=None, tools=[TOOL]),
             content_type=STREAM, needs={**CHAT_LINES, "[1].message.tool_calls[*].id": re.compile("[A-Za-z0-9_-]+"),
                                         "[1].message.tool_calls[*].function.arguments": dict, "[1].message.tool_calls[*].function.name": "get_weather"},
             upstream=Answer(pieces=["Look."], tool_calls=CALLS, finish="tool_calls")),
        # It sends nothing that names the call but its order.
        Step("POST", "/api/chat", {"model": "seer:latest", "stream": True, "tools": [], "messages": [
            {"role": "user", "content": "x", "images": [PICTURE]},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Bonn"}}}]},
            {"role": "tool", "content": "rain", "tool_name": "get_weather"},
        ]}, content_type=STREAM, needs=CHAT_LINES),
    ],
    "Open WebUI": [
        Step("GET", "/api/version", headers={"Authorization": "Bearer none", "X-OpenWebUI-User-Name": "Ann"}, needs={"version": VERSION}),
        Step("GET", "/api/tags", needs=LISTING),
        Step("POST", "/api/show", {"model": "seer"}, needs=DETAILS),
        Step("POST", "/api/chat", chat(stream=True, options={}, keep_alive="5m"), content_type=STREAM, needs=CHAT_LINES),
        Step("GET", "/api/ps", needs={"models[*].model": str, "models[*].expires_at": [TIME, python_time]}),
        Step("POST", "/api/generate", {"model": "seer:latest", "keep_alive": 0, "prompt": "", "stream": True},
             needs={"done": True, "done_reason": "unload", "response": ""}),
        Step("POST", "/api/embed", {"model": "embedder", "input": ["a", "b"], "truncate": True}, needs={"embeddings[*]": list}),
        Step("DELETE", "/api/delete", {"model": "nobody"}, status=404, needs={"error": "model 'nobody' not found"}),
    ],
    "Enchanted": [
        Step("HEAD", "/", headers={"Authorization": "Bearer "}, content_type="text/plain; charset=utf-8", text=""),
        Step("GET", "/api/tags", headers={"Authorization": "Bearer "}, needs={**LISTING, "models[0].details.families": list}),
        Step("POST", "/api/show", {"name": "seer:latest"}, needs={**DETAILS, "details.families": contains("clip")}),
        Step("POST", "/api/chat", {"model": "seer:latest", "stream": True, "options": {"temperature": 0.8}, "messages": [
            {"role": "system", "content": "s", "images": []}, {"role": "user", "content": "x", "images": [PICTURE]}]},
            content_type=STREAM, needs=CHAT_LINES),
    ],
    "Home Assistant": [
        Step("GET", "/api/tags", headers={"User-Agent": "ollama-python/0.5.1"}, needs=LISTING),
        Step("POST", "/api/pull", {"model": "seer:latest", "insecure": False, "stream": True}, content_type=STREAM, needs={"[-1].status": "success"}),
        Step("POST", "/api/chat", {"model": "seer:latest", "stream": True, "keep_alive": "-1s", "think": False, "format": None,
                                   "options": {"num_ctx": 8192.0}, "tools": [TOOL], "messages": [{"role": "user", "content": "x"}]},
             content_type=STREAM, needs={**CHAT_LINES, "[*].message.thinking": absent}),
        Step("POST", "/api/chat", {"model": "seer:latest", "stream": True, "think": False, "tools": [TOOL], "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Bonn"}}}]},
            {"role": "tool", "content": "rain"}]}, content_type=STREAM, needs=CHAT_LINES),
    ],
    "Raycast": [
        Step("GET", "/api/version", needs={"version": VERSION}),
        Step("GET", "/api/tags", needs=LISTING),
        Step("POST", "/api/show", {"name": "seer:latest"}, needs=DETAILS),
        # Leaves `stream` out, and means a stream.
        Step("POST", "/api/chat", chat(keep_alive="5m"), content_type=STREAM, needs=CHAT_LINES),
    ],
    "Continue": [
        Step("POST", "/api/show", {"name": "seer"}, needs={**DETAILS, "template": lambda text: ".Suffix" not in text, "parameters": re.compile(r"(?s).*num_ctx +32768.*")}),
        Step("GET", "/api/tags", needs=LISTING),
        Step("POST", "/api/chat", chat(stream=True, keep_alive=1800, options={"num_predict": 2048, "num_ctx": 32768, "stop": ["<|end|>"]}, raw=True),
             content_type=STREAM, needs=CHAT_LINES),
        Step("POST", "/api/generate", {"model": "seer", "prompt": "x", "raw": True, "stream": True, "keep_alive": 1800}, content_type=STREAM, needs=GENERATE_LINES),
        Step("POST", "/api/embed", {"model": "embedder", "input": ["a"]}, needs={"embeddings[*]": list, "total_duration": at_least(1)}),
    ],
    "Roo Code": [
        Step("GET", "/api/tags", needs=LISTING),
        Step("POST", "/api/show", {"model": "seer:latest"}, {"Authorization": "Bearer key"}, needs={**DETAILS, "capabilities": contains("tools")}),
        Step("POST", "/api/chat", chat(stream=True, options={"temperature": 0, "num_ctx": 32768}, tools=[TOOL]), content_type=STREAM, needs=CHAT_LINES),
        Step("POST", "/api/embed", {"model": "embedder", "input": ["test"]}, needs={"embeddings[*]": list}),
    ],
    "Cline": [
        Step("GET", "/api/tags", needs=LISTING),
        # The ai-sdk provider sends an empty array for a turn that is only a picture, and always says think.
        Step("POST", "/api/chat", {"model": "seer:latest", "stream": True, "think": False, "options": {"num_ctx": 32768}, "tools": [TOOL], "messages": [
            {"role": "system", "content": "s"}, {"role": "user", "content": [], "images": [PICTURE]}]}, content_type=STREAM, needs=CHAT_LINES),
        Step("POST", "/api/chat", chat(stream=True, tools=[TOOL]), content_type=STREAM,
             needs={**CHAT_LINES, "[0].message.thinking": "Hm.", "[0].message.content": "", "[1].message.tool_calls[*].function.arguments": dict},
             upstream=Answer(pieces=[], thinking=["Hm."], tool_calls=CALLS[:1], finish="tool_calls")),
    ],
    "LangChain.js and n8n": [
        Step("GET", "/", content_type="text/plain; charset=utf-8", text="Ollama is running"),
        Step("GET", "/api/tags", needs=LISTING),
        # Text and picture of one turn come as two messages.
        Step("POST", "/api/chat", {"model": "seer", "stream": True, "messages": [
            {"role": "user", "content": "What is it?"}, {"role": "user", "content": "", "images": [PICTURE]}]}, content_type=STREAM, needs=CHAT_LINES),
    ],
    "base URL that ends in /v1": [
        Step("GET", "/v1/api/tags", needs=LISTING),
        Step("GET", "/v1/models", content_type=re.compile("application/json.*"), needs={"object": "list", "data[*].id": str, "data[*].object": "model", "data[*].created": int, "data[*].owned_by": str}),
        Step("GET", "/v1/models/seer", content_type=re.compile("application/json.*"), needs={"id": contains("seer"), "object": "model"}),
        Step("GET", "/v1/models/vendor/model:free", content_type=re.compile("application/json.*"), needs={"id": "vendor/model:free"}),
        Step("GET", "/v1/models/vendor%2Fmodel%3Afree", content_type=re.compile("application/json.*"), needs={"id": "vendor/model:free"}),
        Step("GET", "/v1/models/nobody", status=404, content_type=re.compile("application/json.*"), needs={"error.message": str, "error.type": "not_found_error"}),
    ],
}


@pytest.mark.parametrize("client", SCENARIOS)
def test_client(bridge, stub, client):
    connection = RawClient(bridge.port)
    for number, step in enumerate(SCENARIOS[client]):
        where = f"{client}, step {number}: {step.method} {step.path}"
        stub.reset()
        if step.upstream:
            stub.script(step.upstream)
        reply = connection.ask(step.method, step.path, step.body, step.headers)
        assert reply.status == step.status, f"{where}: {reply.status} {reply.body[:300]}"
        assert holds(step.content_type, reply.headers.get("content-type")) or step.status != 200, f"{where}: {reply.headers}"
        if step.text is not None:
            assert reply.body.decode() == step.text, where
            continue
        if step.content_type == STREAM:
            assert_framing(reply, where)
        for path, predicates in step.needs.items():
            for value in values(reply.value, path):
                for predicate in predicates if isinstance(predicates, list) else [predicates]:
                    assert holds(predicate, value), f"{where}: {path} is {value!r}"
        if step.path == "/api/show" and step.status == 200:
            assert_one_context_length(reply.value, where)
        if step.path == "/api/tags":
            models = reply.value["models"]
            assert len({model["digest"] for model in models}) == len(models), f"{where}: digests are shared"
            assert all(model["name"] == model["model"] for model in models), where
    connection.close()


def assert_framing(reply, where):
    """One whole line in each HTTP chunk, nothing else, and one end of the stream, at the end."""
    lines = reply.value
    # What is known from the beginning, such as a pull's progress, may come with a length.
    assert reply.chunks or "status" in lines[0], f"{where}: not chunked"
    for chunk in reply.chunks or reply.body.splitlines(keepends=True):
        assert chunk.endswith(b"\n") and chunk.count(b"\n") == 1 and chunk != b"\n", f"{where}: a chunk is not one line: {chunk!r}"
    if "done" in lines[0]:
        assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True], where
        for line in lines:
            message = line.get("message", {})
            assert not (message.get("thinking") and message.get("content")), f"{where}: thought and spoken in one line"
            assert len(message.get("tool_calls", [None])) == 1, f"{where}: not one tool call in a line"
        for line in lines[:-1]:
            assert "done_reason" not in line and "total_duration" not in line, where
            message = line.get("message", {"content": line.get("response")})
            assert message["content"] or message.get("thinking") or message.get("tool_calls"), f"{where}: a line that says nothing"


def assert_one_context_length(answer, where):
    info = answer["model_info"]
    architecture = info["general.architecture"]
    keys = [key for key in info if "context_length" in key]
    assert keys == [f"{architecture}.context_length"], f"{where}: {keys}"
    assert info[keys[0]] == 32768 and type(info[keys[0]]) is int
    if "vision" in answer["capabilities"]:
        assert any(".vision." in key for key in info) or answer.get("projector_info"), f"{where}: vision is told one way only"


def test_vision_is_told_in_every_way(bridge, stub):
    connection = RawClient(bridge.port)
    models = {model["name"]: model for model in connection.ask("GET", "/api/tags").value["models"]}
    for name, sees in (("seer:latest", True), ("blind:latest", False)):
        show = connection.ask("POST", "/api/show", {"model": name}).value
        assert ("vision" in show["capabilities"]) is sees
        assert ("clip" in show["details"]["families"]) is sees
        assert ("clip" in models[name]["details"]["families"]) is sees
        assert any(".vision." in key for key in show["model_info"]) is sees
    connection.close()


def test_zed_tool_results_reach_the_upstream_with_their_calls(bridge, stub):
    step = SCENARIOS["Home Assistant"][-1]
    connection = RawClient(bridge.port)
    connection.ask("POST", step.path, step.body)
    _, assistant, tool = stub.last.body["messages"]
    assert tool["role"] == "tool" and tool["tool_call_id"] == assistant["tool_calls"][0]["id"]
    first = assistant["tool_calls"][0]["id"]
    connection.ask("POST", step.path, step.body)
    assert stub.last.body["messages"][1]["tool_calls"][0]["id"] == first, "the same chat must be the same bytes"
    connection.close()


def test_split_turns_are_merged(bridge, stub):
    step = SCENARIOS["LangChain.js and n8n"][-1]
    connection = RawClient(bridge.port)
    connection.ask("POST", step.path, step.body)
    [message] = stub.last.body["messages"]
    assert [part["type"] for part in message["content"]] == ["text", "image_url"]
    connection.close()


def test_pictures_of_a_tool_move_to_a_user_message(bridge, stub):
    """The official VS Code extension hangs screenshots on tool results, which OpenAI refuses."""
    connection = RawClient(bridge.port)
    connection.ask("POST", "/api/chat", {"model": "seer", "stream": False, "messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "call_7", "function": {"name": "shoot", "arguments": {}}}]},
        {"role": "tool", "content": "done", "tool_call_id": "call_7", "images": [PICTURE]}]})
    messages = stub.last.body["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "user"]
    assert messages[2]["content"] == "done" and messages[2]["tool_call_id"] == "call_7"
    assert [part["type"] for part in messages[3]["content"]] == ["text", "image_url"]
    connection.close()


def test_lines_are_not_held_back_and_nothing_is_sent_while_waiting(bridge, stub):
    answer = Answer(gate=threading.Event())
    stub.script(answer)
    connection = RawClient(bridge.port)
    body = json.dumps(chat()).encode()
    connection.connection.sendall(
        f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    while connection.file.readline().strip():
        pass
    size = int(connection.file.readline(), 16)
    assert json.loads(connection.file.read(size))["message"]["content"] == "Hello"
    connection.file.readline()
    connection.connection.settimeout(0.3)
    with pytest.raises(TimeoutError):
        connection.connection.recv(1)
    answer.gate.set()
    connection.close()
