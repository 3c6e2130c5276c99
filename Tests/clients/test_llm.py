"""`llm` with the llm-ollama plugin, as the command that people type."""

import os
import subprocess
import sys

import pytest

import pictures
from pictures import assert_shows
from stub_upstream import Answer


@pytest.fixture
def llm(bridge, tmp_path):
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LLM_USER_PATH": str(tmp_path), "OLLAMA_HOST": bridge.url,
    }

    def run(*arguments):
        result = subprocess.run([sys.executable, "-m", "llm", *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout.decode()

    return run


def test_models_are_listed_by_digest(llm):
    """Models that shared a digest would be folded into one."""
    listing = llm("models")
    for name in ("seer", "blind", "narrow", "vendor/model:free"):
        assert name in listing
    assert "embedder" not in listing
    assert "embedder" in llm("embed-models")


def test_prompt_and_picture(llm, stub):
    path = pictures.photo_path("chelsea")
    assert llm("-m", "ollama/seer", "What is it?", "-a", str(path)).strip() == "Hello from the stub."
    assert_shows(stub.last.pictures()[0], pictures.photo("chelsea"))


def test_tools(llm, stub):
    stub.script(Answer(pieces=[], tool_calls=[("call_1", "double", {"number": 21})], finish="tool_calls"), Answer(pieces=["It is 42."]))
    output = llm("-m", "ollama/seer", "Twice 21?", "--functions", "def double(number: int) -> int:\n    return number * 2\n")
    assert output.strip() == "It is 42."
    assistant, result = stub.last.body["messages"][-2:]
    assert result["role"] == "tool" and "42" in result["content"]
    assert result["tool_call_id"] == assistant["tool_calls"][0]["id"]


def test_thinking_stays_out_of_the_answer(llm, stub):
    stub.script(Answer(pieces=["4", "2."], thinking=["Hm,", " well."]))
    assert llm("-m", "ollama/seer", "?", "-o", "think", "true").strip() == "42."
    assert llm("-m", "ollama/seer", "?", "-o", "think", "false").strip() == "42."


def test_schema(llm, stub):
    stub.script(Answer(pieces=['{"name": "Minka"}']))
    assert "Minka" in llm("-m", "ollama/seer", "a cat", "--schema", "name str")
    assert stub.last.body["response_format"]["type"] == "json_schema"


def test_embed(llm, stub):
    assert llm("embed", "-m", "ollama/embedder:latest", "-c", "some text").startswith("[")
