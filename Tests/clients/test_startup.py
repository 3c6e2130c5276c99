"""Starting, stopping and the other subcommands."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import httpx
import pytest
from PIL import Image

import pictures
from bridge import BINARY, REPOSITORY, run, stub_catalog
from stub_upstream import Answer

ASK = {"model": "seer", "messages": [{"role": "user", "content": "x"}]}


def sentence_of(result):
    """What a start that failed says: one line on standard error, and a status that scripts notice."""
    assert result.returncode != 0
    text = result.stderr.decode()
    assert "Fatal error" not in text and "Stack dump" not in text, text
    return text


def refused(*arguments, **options):
    began = time.monotonic()
    text = sentence_of(run("serve", "--host", "127.0.0.1", *arguments, **options))
    assert time.monotonic() - began < 5
    return text


def one_line(text):
    """The sentence itself; log lines may stand before it."""
    [line] = [line for line in text.splitlines() if line.startswith("ollama-bridge: ")]
    assert text.rstrip().endswith(line)
    return line


@pytest.mark.parametrize("place", ["closed", "full", "nobody reads"])
def test_nobody_listens_to_what_the_start_prints(tmp_path, place):
    port = free_port()
    command = [str(BINARY), "serve", "--host", "127.0.0.1", "--port", str(port)]
    reader, writer = os.pipe()
    os.close(reader)
    full = open("/dev/full", "wb")
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout={"closed": None, "full": full, "nobody reads": writer}[place],
        preexec_fn=(lambda: os.close(1)) if place == "closed" else None, env={"SWIFT_BACKTRACE": "enable=no"})
    try:
        deadline = time.monotonic() + 20
        while True:
            assert process.poll() is None and time.monotonic() < deadline
            try:
                assert httpx.get(f"http://127.0.0.1:{port}/api/version").status_code == 200
                break
            except httpx.TransportError:
                time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
        full.close()
        os.close(writer)


def test_a_models_file_that_goes_leaves_its_models(tmp_path):
    models = tmp_path / "models.json"
    models.write_text(json.dumps({"models": {"mine": {"provider": "demo"}}}))
    with open(tmp_path / "log", "wb") as log:
        command = [str(BINARY), "serve", "--host", "127.0.0.1", "--port", "0"]
        process = subprocess.Popen(command, cwd=tmp_path, stderr=log, stdout=subprocess.PIPE, env={"SWIFT_BACKTRACE": "enable=no"})
    try:
        url = process.stdout.readline().split()[-1].decode()
        models.unlink()
        process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while "stays in force" not in (tmp_path / "log").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert [model["name"] for model in httpx.get(url + "/api/tags").json()["models"]] == ["mine:latest"]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_port_in_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = one_line(refused("--port", str(port)))
    assert str(port) in text and "in use" in text


def test_missing_models_file(tmp_path):
    text = one_line(refused("--port", "0", "--models", str(tmp_path / "nowhere.json")))
    assert "nowhere.json" in text


@pytest.mark.parametrize("content, words", [
    ("{ not json", ["models.json"]),
    ("", ["models.json"]),
    ('{"models": {"m": {"provider": "nowhere", "model": "x"}}}', ["models.json", '"m"', "nowhere"]),
    ('{"models": {"m": {"provider": "openai", "model": "x", "vision": "yes"}}}', ["models.json", '"m"', "vision"]),
    ('{"models": {"m": {"provider": "openai", "model": "x", "visoin": true}}}', ["models.json", '"m"', "visoin", "vision"]),
    ('{"providers": {"p": {"base_url": "not a url"}}, "models": {"m": {"provider": "p", "model": "x"}}}', ["models.json", "base_url"]),
])
def test_broken_models_file_is_named_with_place_and_remedy(tmp_path, content, words):
    path = tmp_path / "models.json"
    path.write_text(content)
    text = one_line(refused("--port", "0", "--models", str(path)))
    assert all(word in text for word in words), text


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--port", "x"], ["--nonsense"], ["--log-level", "loud"]])
def test_bad_flags(arguments):
    assert arguments[-1].lstrip("-") in refused(*arguments)


def test_open_bind_wants_keys_or_a_word():
    text = sentence_of(run("serve", "--host", "0.0.0.0", "--port", "0"))
    assert "--no-auth" in text and "--api-key" in text


def test_client_keys(new_bridge):
    bridge = new_bridge("--api-key", "alice=secret-1")
    for headers, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": "Bearer secret-1"}, 200)):
        reply = httpx.get(bridge.url + "/api/tags", headers=headers)
        assert reply.status_code == status
        if status == 401:
            assert isinstance(reply.json()["error"], str)
    assert "secret-1" not in bridge.log() + "".join(bridge.output)


def test_says_where_it_listens_what_it_has_and_what_to_try(demo):
    text = "".join(demo.output)
    assert f"listening on http://127.0.0.1:{demo.port}" in text
    assert "demo" in text and "curl" in text


def test_flat_models_file_of_the_older_proxy(new_bridge):
    bridge = new_bridge(
        models={"gpt-4o": {"provider": "openai", "model": "gpt-4o"}, "gpt-3.5": {"provider": "openai", "model": "gpt-3.5-turbo"}},
        environment={"OPENAI_API_KEY": "sk-nobody", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"},
    )
    names = {model["name"] for model in httpx.get(bridge.url + "/api/tags").json()["models"]}
    assert {"gpt-4o:latest", "gpt-3.5:latest"} <= names
    sees = {name: "vision" in httpx.post(bridge.url + "/api/show", json={"model": name}).json()["capabilities"] for name in ("gpt-4o", "gpt-3.5")}
    assert sees == {"gpt-4o": True, "gpt-3.5": False}


def test_environment_reaches_a_known_provider(new_bridge, stub):
    bridge = new_bridge(
        models={"gpt-4o": {"provider": "openai", "model": "gpt-4o"}},
        environment={"OPENAI_API_KEY": "sk-from-environment", "OPENAI_BASE_URL": stub.url},
    )
    reply = httpx.post(bridge.url + "/api/chat", json={**ASK, "model": "gpt-4o", "stream": False})
    assert reply.status_code == 200
    assert stub.last.headers["Authorization"] == "Bearer sk-from-environment"


def test_term_lets_a_running_answer_finish(new_bridge, stub):
    answer = Answer(gate=threading.Event())
    stub.script(answer)
    bridge = new_bridge()
    with httpx.stream("POST", bridge.url + "/api/chat", json=ASK, timeout=20) as reply:
        lines = reply.iter_lines()
        assert json.loads(next(lines))["message"]["content"] == "Hello"
        bridge.process.send_signal(signal.SIGTERM)
        # No longer at home for others.
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                if httpx.get(bridge.url + "/api/version", timeout=1).status_code == 503:
                    break
            except httpx.TransportError:
                break
            time.sleep(0.02)
        else:
            pytest.fail("still answers after SIGTERM")
        answer.gate.set()
        assert json.loads(list(lines)[-1])["done"] is True
    assert bridge.process.wait(10) == 0


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_idle_bridge_stops_at_once(new_bridge, name):
    bridge = new_bridge()
    # An idle connection that is kept alive holds nothing up.
    with httpx.Client(base_url=bridge.url) as client:
        client.get("/api/version")
        began = time.monotonic()
        bridge.process.send_signal(name)
        assert bridge.process.wait(10) == 0
        assert time.monotonic() - began < 2


def test_health_and_readiness(bridge):
    assert httpx.get(bridge.url + "/health").status_code == 200
    assert httpx.get(bridge.url + "/ready").status_code == 200


def test_help_and_version():
    assert b"serve" in run("--help").stdout
    assert b"--allow-image-host" in run("serve", "--help").stdout


def test_normalize(tmp_path):
    source = tmp_path / "in.png"
    source.write_bytes(pictures.encode(pictures.with_alpha(pictures.graphic()), "PNG"))
    result = run("normalize", str(source), "-o", str(tmp_path / "out.jpg"))
    assert result.returncode == 0, result.stderr.decode()
    out = Image.open(tmp_path / "out.jpg")
    assert out.format == "JPEG"
    pictures.assert_shows(out, pictures.seen_by_pillow(source.read_bytes()))
    assert re.search(r"320\D+200", result.stdout.decode())
    (tmp_path / "broken.png").write_bytes(source.read_bytes()[:200])
    assert run("normalize", str(tmp_path / "broken.png"), "-o", str(tmp_path / "x.jpg")).returncode != 0
    result = run("normalize", str(source), "-o", str(tmp_path / "small.jpg"), "--max-edge", "64")
    assert max(Image.open(io.BytesIO((tmp_path / "small.jpg").read_bytes())).size) == 64 and result.returncode == 0


def test_normalize_overwrites_neither_inputs_nor_its_own_results(tmp_path):
    jpeg = pictures.encode(pictures.graphic(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
    png = pictures.encode(pictures.graphic(), "PNG")
    (tmp_path / "a.jpg").write_bytes(jpeg)
    (tmp_path / "b.png").write_bytes(png)
    (tmp_path / "b.webp").write_bytes(pictures.encode(pictures.graphic(), "WEBP"))
    result = run("normalize", *[str(tmp_path / name) for name in ["a.jpg", "b.png", "b.webp"]], "-o", str(tmp_path), "--json")
    rows = [json.loads(line) for line in result.stdout.decode().splitlines()]
    assert result.returncode == 1 and [("error" in row) for row in rows] == [True, False, True]
    assert (tmp_path / "a.jpg").read_bytes() == jpeg
    assert Image.open(tmp_path / "b.jpg").size == (320, 200)
    # A file that is named alone may be replaced.
    assert run("normalize", str(tmp_path / "a.jpg"), "-o", str(tmp_path / "a.jpg")).returncode == 0
    assert len((tmp_path / "a.jpg").read_bytes()) < len(jpeg)


def test_normalize_says_why_a_file_cannot_be_read(tmp_path):
    result = run("normalize", str(tmp_path / "nothing.png"))
    assert result.returncode == 1 and "nothing.png" in result.stdout.decode()
    assert "does not exist" in result.stdout.decode()
    with open(tmp_path / "huge.png", "wb") as file:
        file.truncate(30_000_000_000)
    result = run("normalize", str(tmp_path / "huge.png"))
    assert result.returncode == 1 and "30000000000" in result.stdout.decode(), "it is refused by its size, and never read whole"


def test_check(tmp_path, stub):
    path = tmp_path / "models.json"
    path.write_text(json.dumps(stub_catalog(stub.url)))
    result = run("check", "--models", str(path), environment={"STUB_API_KEY": "sk-x"})
    text = result.stdout.decode() + result.stderr.decode()
    assert "stub" in text and "sk-x" not in text
    result = run("check", "--models", str(path))
    assert "STUB_API_KEY" in result.stdout.decode() + result.stderr.decode(), "what to do about a missing key"


def test_check_looks_at_the_models_of_routes_too(tmp_path, stub):
    path = tmp_path / "models.json"
    route = {"provider": "stub", "model": "nothing-like-it"}
    catalog = stub_catalog(stub.url)
    catalog["models"] = {"m": {"provider": "stub", "model": "up", "routes": [{"provider": "stub", "model": "gpt-4o"}, route]}}
    path.write_text(json.dumps(catalog))
    result = run("check", environment={"STUB_API_KEY": "sk-x", "OLLAMA_BRIDGE_MODELS": str(path)})
    assert result.returncode == 1 and "nothing-like-it" in result.stdout.decode(), result.stdout.decode()


def test_check_of_a_bridge_with_keys(new_bridge, tmp_path):
    bridge = new_bridge("--api-key", "alice=x=y==")
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"models": {"demo": {"provider": "demo"}}}))

    def check(*arguments, **environment):
        result = run("check", "--models", str(path), "--url", bridge.url + "/", *arguments, environment=environment)
        return result.returncode, result.stdout.decode()

    code, text = check()
    assert code == 1 and text.count("✗") == 1 and "--api-key" in text, text
    assert check("--api-key", "x=y==")[0] == 0, check("--api-key", "x=y==")[1]
    assert check(OLLAMA_BRIDGE_API_KEYS="alice=x=y==,bob=z")[0] == 0


def test_a_dot_env_file_is_read(stub, tmp_path):
    (tmp_path / ".env").write_text('# keys\nexport STUB_API_KEY="sk-from-file"\n')
    (tmp_path / "models.json").write_text(json.dumps(stub_catalog(stub.url)))
    result = run("check", cwd=tmp_path)
    assert "STUB_API_KEY" not in result.stdout.decode() + result.stderr.decode()


def test_shipped_catalog_is_good():
    assert os.path.exists(REPOSITORY / "models.json")
    assert run("check", "--models", str(REPOSITORY / "models.json"), environment={"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}).stderr.decode().count("Fatal") == 0
