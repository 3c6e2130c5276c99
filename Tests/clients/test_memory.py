"""What the bridge remembers between requests, and for whom."""

import json

import httpx
import ollama
import pytest

from bridge import stub_catalog
from stub_upstream import Reply, sse

WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
ASK = {"role": "user", "content": "Weather in Bonn?"}


def stream(*deltas, finish="stop"):
    """An answer as chunks of these deltas."""
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas] + [{"index": 0, "delta": {}, "finish_reason": finish}]
    return Reply(content_type="text/event-stream", chunks=[sse({"choices": [choice]}) for choice in choices] + [b"data: [DONE]\n\n"])


def call(arguments, signature=None, id="function-call-7"):
    value = {"index": 0, "id": id, "type": "function", "function": {"name": "weather", "arguments": json.dumps(arguments)}}
    if signature:
        value["extra_content"] = {"google": {"thought_signature": signature}}
    return {"role": "assistant", "tool_calls": [value]}


@pytest.fixture
def keyed(new_bridge, stub):
    """A bridge with two clients, in front of a Gemini, an OpenRouter and something plain."""
    models = {name: {"tools": True, "thinking": True, "dialect": name} for name in ("google", "openrouter", "generic")}
    return new_bridge("--api-key", "alice=key-of-alice", "--api-key", "bob=key-of-bob", models=stub_catalog(stub.url, **models))


def client(bridge, name):
    return ollama.Client(host=bridge.url, headers={"Authorization": f"Bearer key-of-{name}"}, timeout=30)


def second_turn(client, model, message):
    history = [ASK, message, {"role": "tool", "tool_name": "weather", "content": "rain"}]
    assert client.chat(model, history, tools=[WEATHER], stream=False).message.content is not None


def test_thought_signature_goes_back_with_its_call(keyed, stub):
    alice, bob = client(keyed, "alice"), client(keyed, "bob")
    stub.script(stream(call({"city": "Bonn"}, "SIGNED")), stream({"content": "Rain."}))
    [message] = [part.message for part in alice.chat("google", [ASK], tools=[WEATHER], stream=True) if part.message.tool_calls]
    # This package has no place for the signature, nor for the id.
    assert "SIGNED" not in message.model_dump_json() and "function-call-7" not in message.model_dump_json()
    second_turn(alice, "google", message)
    [sent] = stub.last.body["messages"][1]["tool_calls"]
    assert sent["extra_content"] == {"google": {"thought_signature": "SIGNED"}}
    # Neither another client nor another model has it.
    for who, model in ((bob, "google"), (alice, "generic")):
        second_turn(who, model, message)
        assert "extra_content" not in stub.last.body["messages"][1]["tool_calls"][0]


def test_reasoning_details_go_back_with_their_message(keyed, stub):
    details = [{"type": "reasoning.text", "text": "Look", "index": 0}, {"type": "reasoning.text", "text": " up.", "signature": "SIGNED", "index": 0}]
    deltas = [{"reasoning": detail["text"], "reasoning_details": [detail], "content": ""} for detail in details]
    stub.script(stream(*deltas, call({"city": "Bonn"})), stream({"content": "Rain."}))
    alice = client(keyed, "alice")
    parts = list(alice.chat("openrouter", [ASK], tools=[WEATHER], stream=True))
    assert "".join(part.message.thinking or "" for part in parts) == "Look up."
    [message] = [part.message for part in parts if part.message.tool_calls]
    second_turn(alice, "openrouter", message)
    assert stub.last.body["messages"][1]["reasoning_details"] == [{"type": "reasoning.text", "text": "Look up.", "index": 0, "signature": "SIGNED"}]
    second_turn(client(keyed, "bob"), "openrouter", message)
    assert "SIGNED" not in json.dumps(stub.last.body)


def test_a_lost_signature_is_made_up_for_when_the_upstream_insists(keyed, stub):
    refusal = {"error": {"code": 400, "message": "Function call is missing a thought_signature in functionCall parts.", "status": "INVALID_ARGUMENT"}}
    stub.script(Reply(status=400, body=json.dumps([refusal]).encode()), stream({"content": "Rain."}))
    second_turn(client(keyed, "alice"), "google", {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": {}}}]})
    assert len(stub.requests) == 2
    assert stub.last.body["messages"][1]["tool_calls"][0]["extra_content"]["google"]["thought_signature"]


def test_made_up_ids_differ_from_turn_to_turn(bridge, stub):
    stub.script(stream(call({"city": "Bonn"}, id="")))
    body = {"model": "seer", "messages": [ASK], "tools": [WEATHER], "stream": False}

    def id_of(body):
        return httpx.post(bridge.url + "/api/chat", json=body).json()["message"]["tool_calls"][0]["id"]

    first = id_of(body)
    assert first == id_of(body)
    body["messages"] += [{"role": "assistant", "tool_calls": [{"id": first, "function": {"name": "weather", "arguments": {}}}]}, {"role": "tool", "content": "rain"}]
    assert id_of(body) != first


def test_context_holds_the_systems_words_until_there_are_others(bridge, stub):
    ask = ollama.Client(bridge.url).generate
    first = ask("seer", "One.", system="You are a pirate.")
    second = ask("seer", "Two.", context=first.context)
    assert [message["role"] for message in stub.last.body["messages"]] == ["system", "user", "assistant", "user"]
    ask("seer", "Three.", context=second.context, system="You are a nun.")
    messages = stub.last.body["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages[0]["content"] == "You are a nun."


def test_context_continues_a_conversation_only_for_its_own_client(keyed, stub):
    alice, bob = client(keyed, "alice"), client(keyed, "bob")
    first = alice.generate("generic", "My name is Ada.")
    assert alice.generate("generic", "Who am I?", context=first.context).response
    assert [message["content"] for message in stub.last.body["messages"]] == ["My name is Ada.", first.response, "Who am I?"]
    assert bob.generate("generic", "Who am I?", context=first.context).response
    assert [message["content"] for message in stub.last.body["messages"]] == ["Who am I?"]
