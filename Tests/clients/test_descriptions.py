"""Real answers against written descriptions: ours, which is strict, and Ollama's own where a copy of it is at hand.

Ollama publishes `docs/openapi.yaml` in its repository. No copy is kept here; name one with OLLAMA_OPENAPI and its every route is checked too.
"""

import json
import os
import pathlib

import jsonschema
import pytest
import yaml

import pictures
from bridge import REPOSITORY
from pictures import base64_of
from stub_upstream import Answer, Reply, sse

DESCRIPTIONS = {"ours": REPOSITORY / "fixtures/openapi/answers.yaml"}
if os.environ.get("OLLAMA_OPENAPI"):
    DESCRIPTIONS["Ollama's"] = pathlib.Path(os.environ["OLLAMA_OPENAPI"])

PICTURE = base64_of(pictures.encode(pictures.graphic(), "PNG"))
ASK = {"model": "seer", "messages": [{"role": "user", "content": "x", "images": [PICTURE]}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
EVERYTHING = Answer(pieces=["a", "b"], thinking=["hm", " hm"], tool_calls=[("call_1", "f", {"x": 1}), ("call_2", "f", {})], finish="tool_calls", logprobs=True)
CUT = Reply(content_type="text/event-stream", chunks=[sse({"choices": [{"index": 0, "delta": {"content": "Half"}}]})])

# (method, path, body, what the upstream says)
EXCHANGES = [
    ("get", "/api/version", None, None),
    ("get", "/api/tags", None, None),
    ("get", "/api/status", None, None),
    ("post", "/api/show", {"model": "seer"}, None),
    ("post", "/api/show", {"name": "blind", "verbose": True}, None),
    ("post", "/api/show", {"model": "embedder"}, None),
    ("post", "/api/show", {"model": "nobody"}, None),
    ("post", "/api/chat", ASK, None),
    ("post", "/api/chat", {**ASK, "stream": False}, None),
    ("post", "/api/chat", {**ASK, "tools": [TOOL], "think": True, "logprobs": True, "top_logprobs": 2}, EVERYTHING),
    ("post", "/api/chat", {**ASK, "tools": [TOOL], "think": True, "logprobs": True, "top_logprobs": 2, "stream": False}, EVERYTHING),
    ("post", "/api/chat", {"model": "seer", "messages": []}, None),
    ("post", "/api/chat", {"model": "seer", "messages": [], "keep_alive": 0}, None),
    ("post", "/api/chat", {"model": "blind", "messages": ASK["messages"]}, None),
    ("post", "/api/chat", ASK, Answer(finish="length")),
    ("post", "/api/chat", ASK, Answer(usage=None)),
    ("post", "/api/chat", ASK, CUT),
    ("get", "/api/ps", None, None),
    ("post", "/api/generate", {"model": "seer", "prompt": "x"}, None),
    ("post", "/api/generate", {"model": "seer", "prompt": "x", "stream": False, "images": [PICTURE]}, None),
    ("post", "/api/generate", {"model": "seer", "prompt": "x", "think": "low", "logprobs": True}, Answer(thinking=["hm"], logprobs=True)),
    ("post", "/api/generate", {"model": "seer"}, None),
    ("post", "/api/generate", {"model": "seer", "keep_alive": 0}, None),
    ("post", "/api/generate", {"model": "seer", "prompt": "x"}, CUT),
    ("post", "/api/generate", {"model": "seer", "prompt": "x", "images": [5]}, None),
    ("post", "/api/embed", {"model": "embedder", "input": ["a", "b"]}, None),
    ("post", "/api/embed", {"model": "embedder", "input": ""}, None),
    ("post", "/api/embeddings", {"model": "embedder", "prompt": "a"}, None),
    ("post", "/api/embeddings", {"model": "embedder", "prompt": ""}, None),
    ("post", "/api/pull", {"model": "seer"}, None),
    ("post", "/api/pull", {"model": "seer", "stream": False}, None),
    ("post", "/api/pull", {"model": "nobody"}, None),
    ("post", "/api/pull", {"model": "nobody", "stream": False}, None),
    ("post", "/api/push", {"model": "seer"}, None),
    ("post", "/api/create", {"model": "copy", "from": "nobody"}, None),
    ("post", "/api/copy", {"source": "nobody", "destination": "copy"}, None),
    ("delete", "/api/delete", {"model": "nobody"}, None),
]


def schema_of(document, method, path, reply):
    """The schema of an answer, or None where the description says nothing about it."""
    operation = document["paths"].get(path, {}).get(method)
    if operation is None:
        return None
    answer = operation["responses"].get(str(reply.status_code), operation["responses"].get("default"))
    if answer is None:
        # Ollama's own names no failures but has a shape for them.
        assert reply.status_code >= 400, f"{path} answers {reply.status_code}, which is not described"
        return document["components"]["schemas"]["ErrorResponse"]
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    kind = reply.headers["content-type"].split(";")[0]
    assert kind in answer.get("content", {}), f"{path} answers {kind}, which is not described"
    return answer["content"][kind]["schema"]


def check(document, schema, value):
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(value)


@pytest.mark.parametrize("whose", DESCRIPTIONS)
@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: f"{exchange[0]} {exchange[1]} {str(exchange[2])[:50]}")
def test_answer_is_as_described(http, stub, whose, exchange):
    document = yaml.safe_load(DESCRIPTIONS[whose].read_text())
    method, path, body, upstream = exchange
    if upstream:
        stub.script(upstream)
    reply = http.request(method.upper(), path, json=body) if body is not None else http.request(method.upper(), path)
    schema = schema_of(document, method, path, reply)
    if schema is None:
        pytest.skip(f"{whose} description leaves {method} {path} out")
    if reply.headers["content-type"] == "application/x-ndjson":
        lines = [json.loads(line) for line in reply.text.splitlines()]
        assert lines
        for line in lines:
            # Ollama's own has no shape for an error line.
            if "error" in line and whose != "ours":
                schema = document["components"]["schemas"]["ErrorResponse"]
            check(document, schema, line)
    else:
        check(document, schema, reply.json())


@pytest.mark.parametrize("whose", DESCRIPTIONS)
def test_every_described_route_is_exercised(whose):
    document = yaml.safe_load(DESCRIPTIONS[whose].read_text())
    described = {(method, path) for path, item in document["paths"].items() for method in item}
    assert described <= {(method, path) for method, path, _, _ in EXCHANGES}


def test_the_description_can_say_no():
    """A schema that accepts everything would make every test above pass."""
    document = yaml.safe_load(DESCRIPTIONS["ours"].read_text())
    schema = {"$ref": "#/components/schemas/ChatLine"}
    good = {"model": "m", "created_at": "2026-01-02T03:04:05.678901Z", "message": {"role": "assistant", "content": "x"}, "done": False}
    check(document, schema, good)
    message = good["message"]
    for bad in (
        {**good, "error": None}, {**good, "done": "false"}, {**good, "created_at": "2026-01-02 03:04:05"}, {**good, "done": True},
        {**good, "message": {**message, "content": None}}, {**good, "message": {**message, "thinking": ""}}, {**good, "eval_count": 3},
        {**good, "message": {**message, "tool_calls": []}}, {**good, "remote_host": "x"},
        {**good, "message": {**message, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            check(document, schema, bad)
