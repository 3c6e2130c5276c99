"""TLS towards clients, and the Unix socket: real clients with a certificate that is its own authority."""

import os
import signal
import socket
import ssl
import threading
import time

import httpx
import ollama
import pytest

from bridge import run
from certificates import make_certificate
from stub_upstream import Answer
from test_startup import one_line, sentence_of

ASK = {"model": "seer", "messages": [{"role": "user", "content": "x"}]}


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(new_bridge, identity):
    return new_bridge("--tls-certificate", identity.certificate, "--tls-key", identity.key)


def test_ollama_streams_over_tls(secure, identity):
    assert secure.url.startswith("https://")
    context = ssl.create_default_context(cafile=identity.certificate)
    client = ollama.Client(host=secure.url, verify=context)
    parts = list(client.chat("seer", ASK["messages"], stream=True))
    assert "".join(part.message.content for part in parts) == "Hello from the stub." and parts[-1].done
    assert client.list().models


def test_every_answer_goes_over_tls(secure, identity):
    with httpx.Client(base_url=secure.url, verify=ssl.create_default_context(cafile=identity.certificate)) as client:
        for path in ("/", "/api/version", "/api/tags", "/health", "/bridge/status", "/v1/models"):
            assert client.get(path).status_code == 200
        assert client.post("/api/chat", json={**ASK, "stream": False}).json()["done"] is True
        assert client.post("/api/chat", content=b"{").status_code == 400


def test_old_versions_and_strangers_are_refused(secure, identity):
    with pytest.raises(httpx.ConnectError, match="(?i)certificate"):
        httpx.get(secure.url)
    context = ssl.create_default_context(cafile=identity.certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.ConnectError):
        httpx.get(secure.url, verify=context)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(secure.url.replace("https", "http"))


def test_a_client_that_leaves_without_tls_words_ends_the_upstreams_work(secure, identity, stub):
    never = threading.Event()
    stub.script(Answer(gate=never))
    context = ssl.create_default_context(cafile=identity.certificate)
    plain = socket.create_connection(("127.0.0.1", secure.port), timeout=10)
    connection = context.wrap_socket(plain, server_hostname="localhost")
    body = b'{"model": "seer", "prompt": "x"}'
    connection.sendall(b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    received = b""
    while b"Hello" not in received:
        received += connection.recv(65536)
    # A FIN with no close_notify before it, as a killed client leaves.
    os.close(connection.detach())
    assert stub.wait_for_hangup()
    never.set()


def test_settings_from_the_environment(new_bridge, identity):
    environment = {"OLLAMA_BRIDGE_TLS_CERTIFICATE": identity.certificate, "OLLAMA_BRIDGE_TLS_KEY": identity.key}
    bridge = new_bridge(environment=environment)
    assert httpx.get(bridge.url + "/health", verify=ssl.create_default_context(cafile=identity.certificate)).status_code == 200


def test_starts_that_cannot_be_right(identity, tmp_path):
    other = make_certificate(tmp_path)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nothing of the kind")
    locked = make_certificate(tmp_path / "locked", passphrase=b"secret")
    rows = [
        ((identity.certificate, None), "--tls-key"),
        ((None, identity.key), "--tls-certificate"),
        ((str(tmp_path / "absent.pem"), identity.key), "absent.pem does not exist"),
        ((identity.certificate, str(tmp_path / "absent.pem")), "absent.pem does not exist"),
        ((str(nonsense), identity.key), "nonsense.pem holds no certificate"),
        ((identity.certificate, str(nonsense)), "nonsense.pem holds no private key"),
        ((identity.certificate, other.key), "does not belong to the certificate"),
        ((locked.certificate, locked.key), "passphrase"),
    ]
    for (certificate, key), words in rows:
        flags = [*(("--tls-certificate", certificate) if certificate else ()), *(("--tls-key", key) if key else ())]
        line = one_line(sentence_of(run("serve", "--port", "0", *flags)))
        assert words in line, line


def test_what_the_operator_should_know(new_bridge, tmp_path):
    identity = make_certificate(tmp_path, days=-1)
    os.chmod(identity.key, 0o644)
    bridge = new_bridge("--tls-certificate", identity.certificate, "--tls-key", identity.key)
    assert "key.pem can be read by everyone" in bridge.log() and "has expired" in bridge.log()


def renew(bridge, old, new):
    """Puts another certificate in the place of the one in use, and waits until it counts."""
    os.replace(new.certificate, old.certificate)
    os.replace(new.key, old.key)
    bridge.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while "Certificate reloaded" not in bridge.log():
        assert time.monotonic() < deadline, bridge.log()
        time.sleep(0.02)


def test_certificate_is_read_again_on_hup(new_bridge, tmp_path):
    first = make_certificate(tmp_path / "first")
    bridge = new_bridge("--tls-certificate", first.certificate, "--tls-key", first.key)
    second = make_certificate(tmp_path / "second")
    renew(bridge, first, second)
    assert httpx.get(bridge.url + "/health", verify=ssl.create_default_context(cafile=first.certificate)).status_code == 200


def test_names_of_the_certificate_are_the_servers(new_bridge, tmp_path):
    first = make_certificate(tmp_path / "first", names=["one.lan"])
    bridge = new_bridge("--tls-certificate", first.certificate, "--tls-key", first.key)

    def status(name):
        context = ssl.create_default_context(cafile=first.certificate)
        return httpx.get(bridge.url + "/api/version", headers={"Host": name}, verify=context).status_code

    assert [status(name) for name in ("one.lan", "two.lan", "evil.example")] == [200, 403, 403]
    second = make_certificate(tmp_path / "second", names=["*.lan"])
    renew(bridge, first, second)
    assert [status(name) for name in ("one.lan", "two.lan", "a.two.lan", "lan", ".lan", "evil.example")] == [200, 200, 403, 403, 403, 403]


def test_unix_socket(new_bridge, tmp_path):
    path = str(tmp_path / "b.sock")
    new_bridge("--unix-socket", path)
    line = one_line(sentence_of(run("serve", "--port", "0", "--unix-socket", path)))
    assert path in line and "already" in line
    client = ollama.Client(host="http://localhost", transport=httpx.HTTPTransport(uds=path))
    parts = list(client.chat("seer", ASK["messages"], stream=True))
    assert "".join(part.message.content for part in parts) == "Hello from the stub."
    line = one_line(sentence_of(run("serve", "--port", "0", "--unix-socket", str(tmp_path / "no" / "b.sock"))))
    assert "--unix-socket" in line and "No such file" in line
    line = one_line(sentence_of(run("serve", "--port", "0", "--unix-socket", "/tmp/" + "x" * 200)))
    assert "--unix-socket" in line and "too long" in line
