"""What an operator can see: `/bridge/status`, the audit, budgets."""

import json
import threading
import time

import httpx
import pytest

from bridge import stub_catalog
from stub_upstream import Answer, failure

CHAT = {"model": "seer", "messages": [{"role": "user", "content": "Where is Bonn?"}]}


def test_status(bridge, http, stub):
    http.post("/api/chat", json={**CHAT, "stream": False}).raise_for_status()
    reply = http.get("/bridge/status")
    assert reply.status_code == 200 and reply.headers["Content-Type"].startswith("application/json")
    status = reply.json()
    assert status["state"] == "ready" and status["uptime_seconds"] >= 0
    assert status["ollama_version"] == http.get("/api/version").json()["version"]
    models = {model["name"]: model for model in status["models"]}
    assert set(models) == {model["name"] for model in http.get("/api/tags").json()["models"]}
    assert models["seer:latest"] == {
        "name": "seer:latest", "provider": "stub", "upstream_model": "upstream-seer",
        "vision": True, "tools": True, "thinking": True, "embedding": False,
    }
    [provider] = [provider for provider in status["providers"] if provider["name"] == "stub"]
    assert provider["base_url"] == stub.url and provider["usable"] is True and provider["breaker"] == "closed"
    assert provider["latency_milliseconds"] >= 0
    assert status["requests"]["running"] == 0 and status["requests"]["queued"] == 0
    assert status["connections"]["clients"] >= 1
    assert set(status["pictures"]) == {"cached", "cache_bytes", "hits", "misses", "waiting"}
    assert "sk-stub" not in reply.text
    assert http.post("/bridge/status").status_code == 405


def test_status_names_the_key_that_is_missing(new_bridge, stub):
    models = stub_catalog(stub.url)
    models["providers"]["other"] = {"base_url": "http://127.0.0.1:1/v1", "api_key_env": "OTHER_KEY"}
    models["models"]["far"] = {"provider": "other"}
    status = httpx.get(new_bridge(models=models).url + "/bridge/status").json()
    [provider] = [provider for provider in status["providers"] if provider["name"] == "other"]
    assert provider["usable"] is False and provider["missing_key"] == "OTHER_KEY"


def events(path, count):
    """The audit's lines, once there are that many: they are written behind the answer's back."""
    deadline = time.monotonic() + 10
    while True:
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= count:
            return [json.loads(line) for line in lines]
        assert time.monotonic() < deadline, lines
        time.sleep(0.01)


QUESTIONS = [
    ("/api/chat", {**CHAT, "stream": False}, "Where is Bonn?", "Hello from the stub."),
    ("/v1/chat/completions", CHAT, "Where is Bonn?", "Hello from the stub."),
    ("/v1/chat/completions", {**CHAT, "stream": True}, "Where is Bonn?", "Hello from the stub."),
    ("/v1/completions", {"model": "seer", "prompt": "def add"}, "def add", "return a + b"),
    ("/v1/embeddings", {"model": "embedder", "input": ["one", "two"]}, "one\ntwo", None),
    ("/api/embed", {"model": "embedder", "input": ["one", "two"]}, "one\ntwo", None),
]


@pytest.mark.parametrize("holds_text", [True, False])
def test_audit_holds_questions_and_answers_only_if_asked_to(new_bridge, stub, tmp_path, holds_text):
    path = tmp_path / "audit.jsonl"
    bridge = new_bridge("--audit-file", str(path), *(["--audit-text"] if holds_text else []))
    for route, body, _, _ in QUESTIONS:
        httpx.post(bridge.url + route, json=body).raise_for_status()
    for event, (route, _, question, answer) in zip(events(path, len(QUESTIONS)), QUESTIONS):
        assert event["route"] == route
        assert event.get("question") == (question if holds_text else None)
        assert event.get("answer") == (answer if holds_text else None)


def test_tokens_nobody_counted_are_estimated(new_bridge, stub, tmp_path):
    path = tmp_path / "audit.jsonl"
    bridge = new_bridge("--audit-file", str(path))
    stub.counts_tokens = False
    for route, body in (
        ("/v1/chat/completions", {**CHAT, "stream": True}),
        ("/v1/embeddings", {"model": "embedder", "input": "a" * 4000}),
        ("/api/embed", {"model": "embedder", "input": "a" * 4000}),
        ("/v1/chat/completions", CHAT),
    ):
        httpx.post(bridge.url + route, json=body).raise_for_status()
    stub.script(failure(400, "No."))
    assert httpx.post(bridge.url + "/v1/chat/completions", json=CHAT).status_code == 400
    streamed, embedded, embed, counted, refused = events(path, 5)
    assert streamed["tokens_estimated"] and streamed["prompt_tokens"] > 5 and streamed["answer_tokens"] >= 3
    assert embedded["tokens_estimated"] and 1000 <= embedded["prompt_tokens"] <= 1020 and embedded["answer_tokens"] == 0
    assert embed["tokens_estimated"] and embed["prompt_tokens"] == 1000
    assert "tokens_estimated" not in counted and (counted["prompt_tokens"], counted["answer_tokens"]) == (11, 7)
    assert refused["prompt_tokens"] == 0 and refused["answer_tokens"] == 0


@pytest.mark.parametrize("route", ["/api/chat", "/v1/chat/completions"])
def test_leaving_before_the_end_is_no_way_round_a_budget(new_bridge, stub, tmp_path, route):
    path = tmp_path / "audit.jsonl"
    bridge = new_bridge("--audit-file", str(path))
    gate = threading.Event()
    stub.script(Answer(pieces=["Hello", " from", " the stub."], gate=gate))
    with httpx.stream("POST", bridge.url + route, json={**CHAT, "stream": True}) as reply:
        assert next(line for line in reply.iter_lines() if "Hello" in line)
    assert stub.wait_for_hangup()
    gate.set()
    [event] = events(path, 1)
    assert event["status"] == 499 and event["tokens_estimated"]
    assert event["prompt_tokens"] >= 1 and event["answer_tokens"] >= 1


def test_a_budget_of_tokens_is_spent_on_every_route(new_bridge, stub, tmp_path):
    keys = tmp_path / "keys.json"
    stub.counts_tokens = False
    for route, body in (
        ("/v1/embeddings", {"model": "embedder", "input": "a" * 4000}),
        ("/api/embed", {"model": "embedder", "input": "a" * 4000}),
        ("/v1/chat/completions", {**CHAT, "stream": True}),
    ):
        keys.write_text(json.dumps({"keys": [{"name": "ada", "key": "secret-of-ada", "tokens_per_day": 5}]}))
        bridge = new_bridge("--api-keys-file", str(keys))
        with httpx.Client(base_url=bridge.url, headers={"Authorization": "Bearer secret-of-ada"}) as client:
            assert client.post(route, json=body).status_code == 200
            # Counted when the last byte is out.
            deadline = time.monotonic() + 5
            while client.post(route, json=body).status_code != 429:
                assert time.monotonic() < deadline, route
