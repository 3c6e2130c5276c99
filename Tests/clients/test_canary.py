"""Keys appear nowhere: not in answers, logs, files, requests to others, nor on the command line, whatever happens."""

import base64
import json
import pathlib
import signal
import urllib.parse

import httpx
import pytest

import pictures
from bridge import Bridge, run, stub_catalog
from stub_upstream import Answer, Reply, failure, sse

UPSTREAM_KEY = "zQ7vKx+92/Lm4pTyW8sRbNcE3jHgUaXq"
CLIENT_KEY = "yJ5wPd=64.Vn8rBtZ2kMfSe9hGoCuLiT"


def traces(key):
    """The key, its parts, and the ways in which it may have been written down."""
    half = len(key) // 2
    plain = [key, key[:8], key[-6:], key[half:] + key[:half], key[::-1], urllib.parse.quote(key, safe="")]
    # Wherever base64 may have begun to count.
    encoded = [base64.b64encode(b"x" * shift + key.encode())[4 if shift else 0:-4].decode() for shift in range(3)]
    return plain + encoded + [text.replace("+", "-").replace("/", "_") for text in encoded] + [key.encode().hex()]


def found_in(text, keys):
    return [trace for key in keys for trace in traces(key) if trace in text]


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def bodies():
    picture = base64.b64encode(pictures.encode(pictures.graphic((40, 30)), "PNG")).decode()
    message = {"role": "user", "content": "What is it?"}
    for model in ("seer", "blind", "nobody", "", "vendor/model:free"):
        for stream in (True, False):
            yield "/api/chat", {"model": model, "messages": [message], "stream": stream}
            yield "/api/chat", {"model": model, "messages": [{**message, "images": [picture]}], "stream": stream}
            yield "/api/generate", {"model": model, "prompt": "x", "images": ["nonsense"], "stream": stream}
            yield "/v1/chat/completions", {"model": model, "messages": [message], "stream": stream}
        yield "/api/show", {"model": model}
        yield "/api/embed", {"model": model, "input": "x"}
        yield "/bridge/explain", {"model": model, "messages": [{**message, "images": [picture]}]}
        yield "/api/pull", {"model": model}


def answers():
    """What the upstream says meanwhile: good, bad, and with the key in its mouth."""
    quote = f"Incorrect API key provided: {UPSTREAM_KEY}. Find yours at the usual place."
    yield Answer()
    for status in (400, 401, 403, 404, 429, 500, 503):
        yield failure(status, quote)
    yield Reply(401, content_type="text/plain", body=quote.encode())
    yield Reply(500, content_type="text/html", body=f"<html>Authorization: Bearer {UPSTREAM_KEY}</html>".encode())
    yield Reply(content_type="application/json", body=json.dumps({"error": {"message": quote}}).encode())
    delta = sse({"choices": [{"index": 0, "delta": {"content": "Half"}}]})
    yield Reply(content_type="text/event-stream", chunks=[delta, sse({"error": {"message": quote}})])
    yield Reply(content_type="text/event-stream", chunks=[delta], cut=True)
    yield Reply(302, headers={"Location": "http://127.0.0.1:9/"})


@pytest.mark.parametrize("level", ["info", "trace"])
def test_no_key_anywhere(stub, image_host, folder, level):
    keys_file, audit = folder / "keys.json", folder / "audit.jsonl"
    keys_file.write_text(json.dumps({"keys": [{"name": "alice", "key": CLIENT_KEY, "requests_per_day": 100000}]}))
    keys_file.chmod(0o600)
    image_host.pages["/p.png"] = (200, {}, pictures.encode(pictures.graphic((40, 30)), "PNG"))
    seen = []
    flags = ["--api-keys-file", str(keys_file), "--audit-file", str(audit), "--audit-text", "--log-level", level]
    environment = {"STUB_API_KEY": UPSTREAM_KEY}
    with Bridge(stub_catalog(stub.url), "--allow-image-host", "127.0.0.1", *flags, environment=environment) as bridge:
        seen.append(pathlib.Path(f"/proc/{bridge.process.pid}/cmdline").read_bytes().decode())
        with httpx.Client(base_url=bridge.url, timeout=30, headers={"Authorization": f"Bearer {CLIENT_KEY}"}) as client:

            def ask(method, path, **more):
                reply = client.request(method, path, **more)
                seen.append(f"{method} {path} {more.get('json')}\n{reply.headers}\n{reply.text}".replace(image_host.url, ""))

            for answer in answers():
                stub.script(answer)
                for path, body in bodies():
                    ask("POST", path, json=body)
            stub.reset()
            ask("POST", "/api/generate", json={"model": "seer", "prompt": "x", "images": [f"{image_host.url}/p.png?secret=1"]})
            for path in ("/", "/api/tags", "/api/ps", "/api/version", "/v1/models", "/bridge/status", "/metrics", "/health", "/nowhere"):
                ask("GET", path)
            ask("POST", "/api/chat", content=b"{")
            ask("GET", "/api/tags", headers={"Authorization": f"Bearer {CLIENT_KEY[:-1]}"})
            ask("GET", "/api/tags", headers={"Authorization": f"Basic {CLIENT_KEY}"})
            (pathlib.Path(bridge.folder.name) / "models.json").write_text("{ broken")
            bridge.process.send_signal(signal.SIGHUP)
            ask("GET", "/api/tags")
        asked = [f"{request.path} {request.headers} {request.body}" for request in stub.requests]
        seen += [str(image) for image in image_host.requests]
        log = bridge.log
        bridge.process.send_signal(signal.SIGTERM)
        bridge.process.wait(20)
        seen += ["".join(bridge.output), log()]
    seen += [audit.read_text(), (folder / "keys.json.usage").read_text()]
    told = [text[:700] + "…" + text[-700:] for text in seen if found_in(text, [UPSTREAM_KEY, CLIENT_KEY])]
    assert not told, "\n\n".join(told)
    # Towards the upstream its own key goes in one header, and the client's in none.
    for text in asked:
        assert text.count(UPSTREAM_KEY) == 1 and not found_in(text, [CLIENT_KEY])
    assert len(seen) > 500 and asked


def test_no_key_in_what_the_other_commands_say(stub, folder):
    (folder / "models.json").write_text(json.dumps(stub_catalog(stub.url)))
    for reply in (None, failure(401, f"Incorrect API key provided: {UPSTREAM_KEY}")):
        result = run("check", "--models", str(folder / "models.json"), environment={"STUB_API_KEY": UPSTREAM_KEY}, cwd=folder)
        assert not found_in((result.stdout + result.stderr).decode(), [UPSTREAM_KEY])


def test_the_traces_would_be_found():
    for text in (
        UPSTREAM_KEY, f"x{UPSTREAM_KEY[:8]}y", base64.b64encode(f"Bearer {UPSTREAM_KEY}".encode()).decode(),
        urllib.parse.quote(UPSTREAM_KEY, safe=""), UPSTREAM_KEY[-6:],
    ):
        assert found_in(text, [UPSTREAM_KEY]), text
