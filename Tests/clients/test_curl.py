"""`curl` as people type it, and the README's first example as it stands there."""

import json
import re
import shlex
import subprocess

import pytest
from PIL import Image

import pictures
from bridge import REPOSITORY
from stub_upstream import text_of


def curl(*arguments, stdin=None):
    result = subprocess.run(["curl", "-sS", "--max-time", "20", *arguments], input=stdin, capture_output=True, timeout=30)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout


def lines_of(output):
    assert output.endswith(b"\n")
    lines = [json.loads(line) for line in output.decode().splitlines()]
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    return lines


def test_generate_as_form_data(bridge, stub):
    """`-d` sends application/x-www-form-urlencoded; nobody types the right header."""
    lines = lines_of(curl(f"{bridge.url}/api/generate", "-d", '{"model": "seer", "prompt": "Why is the sky blue?"}'))
    assert "".join(line["response"] for line in lines) == "Hello from the stub."
    assert text_of(stub.last.body["messages"][-1]) == "Why is the sky blue?"


def test_generate_without_stream(bridge, stub):
    answer = json.loads(curl(f"{bridge.url}/api/generate", "-d", '{"model":"seer","prompt":"x","stream":false}'))
    assert answer["response"] == "Hello from the stub." and answer["done"] is True


def test_chat_unbuffered_over_several_lines(bridge, stub):
    body = """{
      "model": "seer",
      "messages": [
        { "role": "user", "content": "why is the sky blue?" }
      ]
    }
    """
    lines = lines_of(curl("-N", f"{bridge.url}/api/chat", "-d", body))
    assert "".join(line["message"]["content"] for line in lines) == "Hello from the stub."


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream", "nonsense", ""])
def test_any_content_type(bridge, stub, content_type):
    output = curl(f"{bridge.url}/api/generate", "-H", f"Content-Type: {content_type}".rstrip(), "-d", '{"model":"seer","prompt":"x"}')
    assert lines_of(output)


def test_http_1_0_and_no_keep_alive(bridge, stub):
    assert lines_of(curl("-0", f"{bridge.url}/api/generate", "-d", '{"model":"seer","prompt":"x"}'))


def test_expect_100_continue(bridge, stub):
    """curl asks before it sends a body of more than a megabyte."""
    data = pictures.base64_of(pictures.encode(pictures.photo("coffee").resize((1800, 1200)), "PNG"))
    body = json.dumps({"model": "seer", "prompt": "x", "images": [data]}).encode()
    assert len(body) > 1_100_000
    assert lines_of(curl("-H", "Expect: 100-continue", f"{bridge.url}/api/generate", "-d", "@-", stdin=body))
    assert len(stub.last.pictures()) == 1


def test_chunked_upload(bridge, stub):
    output = curl("-H", "Transfer-Encoding: chunked", f"{bridge.url}/api/generate", "-d", '{"model":"seer","prompt":"x"}')
    assert lines_of(output)


def test_error_is_readable(bridge):
    output = curl("-w", "\n%{http_code} %{content_type}", f"{bridge.url}/api/generate", "-d", '{"model":"nobody","prompt":"x"}')
    body, status = output.decode().rsplit("\n", 1)
    assert json.loads(body)["error"] == "model 'nobody' not found"
    assert status.startswith("404 application/json")


def test_head_and_get_of_the_root(bridge):
    assert curl(bridge.url) == b"Ollama is running"
    head = curl("-I", bridge.url).decode()
    assert head.startswith("HTTP/1.1 200") and "text/plain; charset=utf-8" in head


def first_example():
    """The README's first shell example that sends something."""
    readme = (REPOSITORY / "README.md").read_text()
    examples = [block for block in re.findall(r"```(?:sh|console|bash)\n(.*?)```", readme, re.S) if "curl" in block]
    assert examples, "the README shows no curl line"
    return examples[0]


def test_first_example_of_the_readme(demo):
    """As written, in the checkout, but for the port: 11434 may be taken by a real Ollama on this machine."""
    example = first_example()
    assert "127.0.0.1:11434" in example
    [name] = re.findall(r"fixtures/images/photos/\S+", example)
    result = subprocess.run(
        ["bash", "-c", example.replace("127.0.0.1:11434", f"127.0.0.1:{demo.port}")], cwd=REPOSITORY, capture_output=True, timeout=60
    )
    assert result.returncode == 0, result.stderr.decode()
    answer = "".join(line["message"]["content"] for line in lines_of(result.stdout))
    width, height = Image.open(REPOSITORY / shlex.split(name)[0]).size
    assert f"{width} × {height}" in answer and "JPEG" in answer
