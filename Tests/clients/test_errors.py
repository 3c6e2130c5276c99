"""Every documented error: exact text, status, code and positions."""

import json
import re
import socket
import struct
import threading
import time
import zlib

import httpx
import pytest

import pictures
from bridge import stub_catalog
from pictures import base64_of, encode
from stub_upstream import Answer, Reply, failure, sse

PICTURE = base64_of(encode(pictures.graphic(), "PNG"))
FOREIGN = "Only JPEG base64 strings or http(s) URLs are supported"


def chat(http, images, model="seer", **more):
    return http.post("/api/chat", json={"model": model, "messages": [{"role": "user", "content": "x", "images": images}], **more})


def assert_error(reply, status, text, **facts):
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"].startswith("application/json")
    body = reply.json()
    assert isinstance(body["error"], str)
    if isinstance(text, re.Pattern):
        assert text.fullmatch(body["error"]), body["error"]
    else:
        assert body["error"] == text
    for key, value in facts.items():
        assert body.get(key) == value, f"{key}: {body}"
    return body


# Pictures: the table of product messages

GOOD_JPEG = encode(pictures.photo("chelsea"), "JPEG")
GOOD_PNG = encode(pictures.graphic(), "PNG")
GOOD_WEBP = encode(pictures.graphic(), "WEBP")
GOOD_GIF = encode(pictures.graphic().quantize(16), "GIF")

ROWS = {
    # no string
    "number": (1, "Unsupported image type", "UNSUPPORTED_IMAGE_TYPE"),
    "object": ({"url": "http://x/"}, "Unsupported image type", "UNSUPPORTED_IMAGE_TYPE"),
    "array": ([PICTURE], "Unsupported image type", "UNSUPPORTED_IMAGE_TYPE"),
    "bool": (True, "Unsupported image type", "UNSUPPORTED_IMAGE_TYPE"),
    # no picture to be had from it
    "not base64": ("this is no picture!", FOREIGN, "UNSUPPORTED_IMAGE_SOURCE"),
    "file URL": ("file:///etc/passwd", FOREIGN, "UNSUPPORTED_IMAGE_SOURCE"),
    "ftp URL": ("ftp://127.0.0.1/a.jpg", FOREIGN, "UNSUPPORTED_IMAGE_SOURCE"),
    "gopher URL, upper case": ("GOPHER://127.0.0.1/a.jpg", FOREIGN, "UNSUPPORTED_IMAGE_SOURCE"),
    "local path": ("/home/me/cat.jpg", FOREIGN, "UNSUPPORTED_IMAGE_SOURCE"),
    "Windows path": ("C:\\Users\\me\\cat.jpg", FOREIGN, "UNSUPPORTED_IMAGE_SOURCE"),
    "PDF": (base64_of(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"), FOREIGN, "UNSUPPORTED_IMAGE_SOURCE"),
    "BMP": (base64_of(encode(pictures.graphic(), "BMP")), FOREIGN, "UNSUPPORTED_IMAGE_SOURCE"),
    "TIFF": (base64_of(encode(pictures.graphic(), "TIFF")), FOREIGN, "UNSUPPORTED_IMAGE_SOURCE"),
    "text": (base64_of(b"hello, this is just text"), FOREIGN, "UNSUPPORTED_IMAGE_SOURCE"),
    "text data URL": ("data:text/plain;base64," + base64_of(b"hello, world"), FOREIGN, "UNSUPPORTED_IMAGE_SOURCE"),
    # broken
    "cut JPEG": (base64_of(GOOD_JPEG[: len(GOOD_JPEG) // 2]), "invalid image input", "INVALID_IMAGE"),
    "cut PNG": (base64_of(GOOD_PNG[: len(GOOD_PNG) // 2]), "invalid image input", "INVALID_IMAGE"),
    "cut WebP": (base64_of(GOOD_WEBP[: len(GOOD_WEBP) // 2]), "invalid image input", "INVALID_IMAGE"),
    "cut GIF": (base64_of(GOOD_GIF[: len(GOOD_GIF) // 4]), "invalid image input", "INVALID_IMAGE"),
    "JPEG without an end": (base64_of(GOOD_JPEG[:-400]), "invalid image input", "INVALID_IMAGE"),
    "PNG with a wrong checksum": (base64_of(GOOD_PNG[:60] + bytes([GOOD_PNG[60] ^ 1]) + GOOD_PNG[61:]), "invalid image input", "INVALID_IMAGE"),
    "only magic bytes": (base64_of(b"\x89PNG\r\n\x1a\n"), "invalid image input", "INVALID_IMAGE"),
    "empty": ("", "invalid image input", "INVALID_IMAGE"),
    "null": (None, "invalid image input", "INVALID_IMAGE"),
    "empty data URL": ("data:image/png;base64,", "invalid image input", "INVALID_IMAGE"),
}


@pytest.mark.parametrize("row", ROWS)
def test_bad_picture(http, stub, row):
    image, text, code = ROWS[row]
    body = assert_error(chat(http, [PICTURE, image]), 400, text, code=code, message=0, image=1)
    assert body["detail"].endswith(".")
    # Generate has no messages, so only the picture's place is told.
    body = assert_error(
        http.post("/api/generate", json={"model": "seer", "prompt": "x", "images": [PICTURE, PICTURE, image]}),
        400, text, code=code, image=2,
    )
    assert body.get("message") is None
    assert stub.requests == [], "the upstream was asked although a picture was bad"


def test_position_counts_all_messages(http):
    messages = [
        {"role": "system", "content": "s"}, {"role": "user", "content": "a", "images": [PICTURE]},
        {"role": "assistant", "content": "b"}, {"role": "user", "content": "c", "images": [PICTURE, PICTURE, 5]},
    ]
    assert_error(http.post("/api/chat", json={"model": "seer", "messages": messages}), 400, "Unsupported image type", message=3, image=2)


def test_empty_is_explained(http):
    assert "empty" in assert_error(chat(http, [""]), 400, "invalid image input")["detail"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418])
def test_picture_url_with_an_error_status(http, stub, image_host, status):
    image_host.serve("/missing.png", b"gone", "text/html", status)
    assert_error(
        chat(http, [image_host.url + "/missing.png"]), 400, f"failed to fetch image: {status}",
        code="IMAGE_FETCH_FAILED", message=0, image=0,
    )
    assert len(image_host.requests) == 1, "a client's mistake is not asked twice"


@pytest.mark.parametrize("status", [500, 503])
def test_picture_url_of_a_broken_server_is_tried_twice(http, stub, image_host, status):
    image_host.serve("/broken.png", b"sorry", "text/html", status)
    assert_error(chat(http, [image_host.url + "/broken.png"]), 400, f"failed to fetch image: {status}", code="IMAGE_FETCH_FAILED")
    assert len(image_host.requests) == 2


def fetch_failed(reason):
    return f"failed to fetch image: {reason}"


@pytest.mark.parametrize("url", [
    "http://10.1.2.3/a.png", "http://192.168.1.1/a.png", "http://172.16.9.9/a.png", "http://169.254.169.254/latest/meta-data/",
    "http://[::1]:9/a.png", "http://0.0.0.0:9/a.png", "http://100.64.0.1/a.png", "http://[fe80::1]/a.png", "http://[fd00::1]/a.png",
    "http://[::ffff:10.0.0.1]/a.png", "http://224.0.0.1/a.png", "http://[64:ff9b::10.0.0.1]/a.png",
])
def test_private_addresses_are_not_fetched(http, stub, url):
    assert_error(chat(http, [url]), 400, fetch_failed("address not allowed"), code="IMAGE_FETCH_FAILED", message=0, image=0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_loopback_is_not_fetched_unless_allowed(new_bridge, stub, image_host, host):
    image_host.serve("/a.png", GOOD_PNG)
    port = image_host.url.rsplit(":", 1)[1]
    with httpx.Client(base_url=new_bridge().url, timeout=30) as http:
        reply = chat(http, [f"http://{host}:{port}/a.png"])
        assert_error(reply, 400, re.compile(r"failed to fetch image: (address not allowed|could not connect)"), code="IMAGE_FETCH_FAILED")
    assert image_host.requests == []


def test_redirect_to_a_private_address_is_not_followed(http, stub, image_host):
    url = image_host.redirect("/away", "http://10.0.0.1/secret.png")
    assert_error(chat(http, [url]), 400, fetch_failed("address not allowed"))


def test_redirect_to_another_scheme_is_not_followed(http, stub, image_host):
    url = image_host.redirect("/away", "file:///etc/passwd")
    assert_error(chat(http, [url]), 400, re.compile("failed to fetch image: .+|" + re.escape(FOREIGN)))


def test_too_many_redirects(http, stub, image_host):
    image_host.serve("/4", GOOD_PNG)
    for hop in range(4):
        image_host.redirect(f"/{hop}", f"/{hop + 1}")
    assert_error(chat(http, [image_host.url + "/0"]), 400, fetch_failed("too many redirects"), code="IMAGE_FETCH_FAILED")
    image_host.redirect("/loop", "/loop")
    assert_error(chat(http, [image_host.url + "/loop"]), 400, fetch_failed("too many redirects"))


def test_picture_url_nobody_listens_at(http, stub):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert_error(chat(http, [f"http://127.0.0.1:{port}/a.png"]), 400, fetch_failed("could not connect"), code="IMAGE_FETCH_FAILED")


def test_picture_url_that_is_a_web_page(http, stub, image_host):
    url = image_host.serve("/page", b"<!doctype html><title>Cat</title>", "text/html")
    assert_error(chat(http, [url]), 400, fetch_failed("not an image"), code="IMAGE_FETCH_FAILED")


def test_picture_url_that_never_ends(http, stub, image_host):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "image/png")
        handler.end_headers()
        handler.wfile.write(GOOD_PNG)
        for _ in range(400):
            handler.wfile.write(b"\0" * 100_000)

    image_host.pages["/endless"] = endless
    assert_error(chat(http, [image_host.url + "/endless"]), 400, fetch_failed("too large"), code="IMAGE_FETCH_FAILED")
    image_host.pages["/announced"] = (200, {"Content-Type": "image/png"}, b"\0" * 21_000_000)
    assert_error(chat(http, [image_host.url + "/announced"]), 400, fetch_failed("too large"))


def test_picture_url_that_is_silent(new_bridge, stub, image_host):
    released = threading.Event()
    image_host.pages["/silent"] = lambda handler: released.wait(20)
    catalog = stub_catalog(stub.url)
    catalog["images"] = {"fetch_timeout_seconds": 1}
    bridge = new_bridge("--allow-image-host", "127.0.0.1", models=catalog)
    with httpx.Client(base_url=bridge.url, timeout=30) as http:
        assert_error(chat(http, [image_host.url + "/silent"]), 400, fetch_failed("timed out"), code="IMAGE_FETCH_FAILED")
    released.set()


def test_too_many_images(http, stub):
    body = assert_error(
        chat(http, [PICTURE] * 3, model="narrow"), 400, re.compile(r"too many images.*3.*2.*"), code="TOO_MANY_IMAGES",
    )
    assert body.get("message") in (0, None)
    assert stub.requests == []


def test_too_many_pixels_are_refused_from_the_header(http, stub):
    """A picture of 60 megapixels that is a few hundred kilobytes: refused before anything is allocated."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 10_000, 6_000, 8, 2, 0, 0, 0))
    bomb += chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    began = time.monotonic()
    body = assert_error(chat(http, [base64_of(bomb)]), 400, re.compile(r"image too large.*60.*50.*"), code="IMAGE_TOO_LARGE", message=0, image=0)
    assert time.monotonic() - began < 1 and body["detail"]
    wide = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 17_000, 10, 8, 2, 0, 0, 0)) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    assert_error(chat(http, [base64_of(wide)]), 400, re.compile(r"image too large.*17.?000.*16.?384.*"), code="IMAGE_TOO_LARGE")


def test_too_many_encoded_bytes(http, stub):
    data = GOOD_JPEG + b"\0" * (21 * 1024 * 1024)
    assert_error(chat(http, [base64_of(data)]), 400, re.compile(r"image too large.*"), code="IMAGE_TOO_LARGE", message=0, image=0)
    data = GOOD_JPEG + b"\0" * (27 * 1024 * 1024)
    for spelling in (base64_of(data), "data:image/jpeg;base64," + base64_of(data)):
        assert_error(chat(http, [spelling]), 400, f"image too large: {len(data)} bytes, the limit is 20971520 bytes", code="IMAGE_TOO_LARGE")


@pytest.mark.parametrize("length", [150_000_000, 2**63 - 1, 2**63, 10**19])
def test_request_body_over_the_limit_is_refused_before_it_is_read(bridge, length):
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=10) as connection:
        connection.sendall(f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{{".encode())
        answer = b""
        while b"\r\n\r\n" not in answer or b"}" not in answer.split(b"\r\n\r\n", 1)[1]:
            part = connection.recv(65536)
            if not part:
                break
            answer += part
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 413")
    assert json.loads(body)["error"].startswith("request too large")


def test_ninety_megabytes_are_taken(http, stub):
    reply = http.post("/api/generate", content=json.dumps({"model": "seer", "prompt": "x", "stream": False, "padding": "y" * 90_000_000}), timeout=60)
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("model", ["blind", "blind:latest", "BLIND"])
def test_no_vision(http, stub, model):
    assert_error(chat(http, [PICTURE], model=model), 400, f"{model} does not support vision", code="UNSUPPORTED_CAPABILITY")
    reply = http.post("/api/generate", json={"model": model, "prompt": "x", "images": [PICTURE]})
    assert_error(reply, 400, f"{model} does not support vision", code="UNSUPPORTED_CAPABILITY")
    assert stub.requests == []


# The same facts on /v1


def test_v1_shape(http, stub):
    good = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PICTURE}}
    bad = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64_of(GOOD_PNG[:100])}}
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "x"}, good, bad]}]
    reply = http.post("/v1/chat/completions", json={"model": "seer", "messages": messages})
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith("invalid image input")
    assert error["param"] == "messages[1].content[2].image_url.url"
    assert "code" in error


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"])
def test_v1_unknown_model(http, path):
    reply = http.post(path, json={"model": "nobody", "messages": [{"role": "user", "content": "x"}], "prompt": "x", "input": "x"})
    assert reply.status_code == 404
    assert reply.json()["error"]["type"] == "not_found_error" and "nobody" in reply.json()["error"]["message"]


def test_v1_empty_messages(http):
    reply = http.post("/v1/chat/completions", json={"model": "seer", "messages": []})
    assert (reply.status_code, reply.json()["error"]["message"]) == (400, "[] is too short - 'messages'")


def test_v1_no_vision(http, stub):
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PICTURE}}
    reply = http.post("/v1/chat/completions", json={"model": "blind", "messages": [{"role": "user", "content": [part]}]})
    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith("blind does not support vision")
    assert stub.requests == []


def test_routes_nobody_offers(http):
    for path in ("/v1/responses", "/v1/audio/transcriptions", "/v1/images/generations"):
        reply = http.post(path, json={"model": "seer", "input": "x"})
        assert reply.status_code in (404, 501)
        assert isinstance(reply.json()["error"], dict) and reply.json()["error"]["message"]
    reply = http.post("/v1/messages", json={"model": "seer", "messages": []})
    assert reply.status_code == 404
    assert reply.json()["type"] == "error" and reply.json()["error"]["message"]


# Ollama's catalogue of errors

CATALOGUE = [
    # (path, body, status, error)
    ("/api/chat", b"", 400, "missing request body"),
    ("/api/generate", b"", 400, "missing request body"),
    ("/api/show", b"", 400, "missing request body"),
    ("/api/chat", b'{"model":"seer"', 400, "unexpected EOF"),
    ("/api/generate", b'{"model":}', 400, "invalid character '}' looking for beginning of value"),
    ("/api/generate", b'{"model":"seer"x}', 400, "invalid character 'x' after object key:value pair"),
    ("/api/chat", {"model": "seer", "messages": "hi"}, 400,
     re.compile(r"json: cannot unmarshal string into Go struct field ChatRequest\.messages of type \[\]api\.Message")),
    ("/api/generate", {"model": 7}, 400, re.compile(r"json: cannot unmarshal number into Go struct field GenerateRequest\.model of type string")),
    ("/api/chat", {"messages": []}, 400, "model is required"),
    ("/api/embeddings", {"prompt": "x"}, 400, "model is required"),
    ("/api/show", {}, 400, "model is required"),
    ("/api/generate", {"prompt": "x"}, 404, "model '' not found"),
    ("/api/embed", {"input": "x"}, 404, "model '' not found"),
    ("/api/generate", {"model": "Nobody:7b", "prompt": "x"}, 404, "model 'Nobody:7b' not found"),
    ("/api/chat", {"model": "nobody", "messages": [{"role": "user", "content": "x"}]}, 404, "model 'nobody' not found"),
    ("/api/show", {"model": "nobody"}, 404, "model 'nobody:latest' not found"),
    ("/api/show", {"name": "nobody"}, 404, "model 'nobody:latest' not found"),
    ("/api/embed", {"model": "nobody", "input": "x"}, 404, 'model "nobody" not found, try pulling it first'),
    ("/api/embeddings", {"model": "nobody", "prompt": "x"}, 404, 'model "nobody" not found, try pulling it first'),
    ("/api/copy", {"source": "nobody", "destination": "b"}, 404, 'model "nobody" not found'),
    ("/api/copy", {"source": "nobody", "destination": "a b"}, 400, 'destination "a b" is invalid'),
    ("/api/copy", {"source": "a b", "destination": "a b"}, 400, 'source "a b" is invalid'),
    ("/api/copy", {"source": "seer", "destination": "b"}, 400, "copying models is not supported by this server"),
    ("/api/push", {}, 400, "model is required"),
    ("/api/create", {"model": "a b"}, 400, "invalid model name"),
    ("/api/create", {"model": "mine", "from": "seer"}, 400, "creating models is not supported by this server"),
    ("/api/pull", {"model": "a b"}, 400, "invalid model name"),
    ("/api/pull", {"model": 7}, 400, re.compile(r"json: cannot unmarshal number into Go struct field PullRequest\.model of type string")),
    ("/api/chat", {"model": "gpt-oss:120b-cloud", "messages": []}, 403, "ollama cloud is disabled: remote model is unavailable"),
    ("/api/generate", {"model": "seer:local:cloud"}, 400, 'use either :local or :cloud, not both: "seer:local:cloud"'),
    ("/api/chat", {"model": "a b", "messages": [{"role": "user", "content": "x"}]}, 400, "invalid model name"),
    ("/api/generate", {"model": "x" * 200, "prompt": "x"}, 400, "invalid model name"),
    ("/api/generate", {"model": "seer", "prompt": "x", "top_logprobs": 21}, 400, "top_logprobs must be between 0 and 20"),
    ("/api/generate", {"model": "seer", "prompt": "x", "top_logprobs": -1}, 400, "top_logprobs must be between 0 and 20"),
    ("/api/chat", {"model": "blind", "messages": [{"role": "user", "content": "x"}], "think": True}, 400, '"blind" does not support thinking'),
    ("/api/chat", {"model": "blind:latest", "messages": [], "think": True}, 400, '"blind:latest" does not support thinking'),
    ("/api/chat", {"model": "blind", "messages": [{"role": "user", "content": "x"}], "tools": [{"type": "function", "function": {"name": "f"}}]},
     400, "registry.ollama.ai/library/blind:latest does not support tools"),
    ("/api/chat", {"model": "embedder", "messages": [{"role": "user", "content": "x"}]}, 400, '"embedder" does not support chat'),
    ("/api/generate", {"model": "embedder", "prompt": "x"}, 400, '"embedder" does not support generate'),
    ("/api/generate", {"model": "seer", "prompt": "x", "raw": True, "system": "s"}, 400, "raw mode does not support template, system, or context"),
    ("/api/chat", {"model": "seer", "messages": [], "think": "foo"}, 400,
     'invalid think value: "foo" (must be "high", "medium", "low", "max", true, or false)'),
    ("/api/chat", {"model": "seer", "messages": [], "think": 3}, 400,
     'think must be a boolean or string ("high", "medium", "low", "max", true, or false)'),
    ("/api/chat", {"model": "seer", "messages": [], "keep_alive": "5x"}, 400, 'time: unknown unit "x" in duration "5x"'),
    ("/api/chat", {"model": "seer", "messages": [], "keep_alive": True}, 400, "Unsupported type: 'bool'"),
    ("/api/chat", {"model": "seer", "messages": [{"role": "user", "content": "x"}], "format": "xml"}, (400, 500),
     'invalid format: "\\"xml\\""; expected "json" or a valid JSON Schema object'),
    ("/api/generate", {"model": "seer", "prompt": "x", "options": {"temperature": []}}, (400, 500), 'option "temperature" must be of type float32'),
    ("/api/embed", {"model": "embedder", "input": 5}, 400, "invalid input type"),
    ("/api/embed", {"model": "embedder", "input": ["x", 5]}, 400, "invalid input type"),
    ("/api/push", {"model": "seer"}, (400, 501), "pushing models is not supported by this server"),
    ("/api/pull", {"model": "nobody", "stream": False}, 500, "pull model manifest: file does not exist"),
    ("/api/signout", {}, 401, "you are not currently signed in"),
]


@pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: f"{row[0]} {str(row[1])[:60]}")
def test_catalogue(http, stub, row):
    path, body, status, text = row
    reply = http.post(path, content=body if isinstance(body, bytes) else json.dumps(body))
    assert reply.status_code in (status if isinstance(status, tuple) else (status,)), reply.text
    assert_error(reply, reply.status_code, text)
    assert stub.requests == []


LENIENT = [
    ("/api/chat", {"MODEL": "seer", "Messages": [{"ROLE": "USER", "Content": "x"}], "Stream": False}),
    ("/api/chat", {"model": "seer", "messages": [{"role": "user", "content": "x", "images": None, "tool_calls": None}], "stream": False, "tools": None, "format": None, "options": None, "think": None, "keep_alive": None}),
    ("/api/chat", {"model": "seer", "messages": [{"role": "user", "content": None}, {"role": "user", "content": "x"}], "stream": False}),
    ("/api/chat", {"model": "seer", "messages": [{"role": "user", "content": "x", "images": []}], "stream": False, "tools": [], "format": ""}),
    ("/api/chat", {"model": "seer", "messages": [{"role": "developer", "content": "be kind"}, {"role": "user", "content": "x"}], "stream": False, "unknown": {"a": [1]}}),
    ("/api/chat", {"model": "blind", "messages": [{"role": "user", "content": "x"}], "stream": False, "think": False}),
    ("/api/generate", {"model": "seer", "prompt": "x", "stream": False, "options": {"num_ctx": 8192.0, "temperature": "0.5", "nonsense": 1, "stop": "END"}}),
    ("/api/generate", {"model": "seer", "prompt": "x", "stream": False, "keep_alive": "10"}),
    ("/api/generate", {"model": "seer", "prompt": "x", "stream": False, "keep_alive": -1}),
    ("/api/generate", {"model": "seer", "prompt": "x", "stream": False, "keep_alive": "1h30m"}),
]


@pytest.mark.parametrize("row", LENIENT, ids=lambda row: str(row[1])[:80])
def test_lenient(http, stub, row):
    path, body = row
    # What follows the first value is none of anybody's business.
    reply = http.post(path, content=json.dumps(body) + "\n{ trailing rubbish")
    assert reply.status_code == 200, reply.text
    assert reply.json()["done"] is True
    sent = stub.last.body
    assert not {"tools", "response_format", "tool_calls", "images", "keep_alive", "think"} & set(sent)
    assert all(isinstance(message["content"], str) for message in sent["messages"])


def test_unknown_paths_and_methods(http):
    reply = http.get("/api/nonsense")
    assert (reply.status_code, reply.text) == (404, "404 page not found") and reply.headers["content-type"] == "text/plain"
    reply = http.get("/api/chat")
    assert (reply.status_code, reply.text) == (405, "405 method not allowed")
    reply = http.get("/api/tags/")
    assert (reply.status_code, reply.headers["location"]) == (301, "/api/tags")
    assert http.get("/api/tags/?fresh=1&x=%2F").headers["location"] == "/api/tags?fresh=1&x=%2F"
    assert http.post("/api/chat/", json={}).status_code == 307


def test_management(http):
    assert_error(http.request("DELETE", "/api/delete", json={"model": "nobody"}), 404, "model 'nobody' not found")
    assert_error(http.request("DELETE", "/api/delete", json={"model": "seer"}), 403, "deleting models is not supported by this server")
    assert http.head("/api/blobs/sha256:" + "0" * 64).status_code == 404
    reply = http.post("/api/blobs/sha256:" + "0" * 64, content=b"x" * 100_000)
    assert reply.status_code in (400, 501) and isinstance(reply.json()["error"], str)
    assert http.get("/api/status").json() == {"cloud": {"disabled": True, "source": "config"}}
    assert http.get("/api/experimental/model-recommendations").json() == {"recommendations": []}
    assert_error(http.post("/api/me"), 503, re.compile("account unavailable"))
    for path in ("/api/experimental/web_search", "/api/experimental/web_fetch"):
        assert http.post(path, json={"query": "x"}).status_code == 403


# What the upstream's own errors become


def plain(http, **more):
    return http.post("/api/chat", json={"model": "seer", "messages": [{"role": "user", "content": "x"}], **more})


# Upstreams complain of pictures and tools in their own words; that counts only when there were some.
WITH_PICTURE = {"messages": [{"role": "user", "content": "x", "images": [PICTURE]}]}
WITH_TOOL = {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]}

UPSTREAM = [
    # (upstream's reply, status, text, and what the request had more)
    (failure(400, "Too many tokens."), 400, "Too many tokens."),
    (failure(401, "Incorrect API key provided: sk-stub-0123456789abcdef"), (500, 502), re.compile("(?!.*0123456789abcdef).*model server rejected the API key.*")),
    (failure(403, "Not yours."), (500, 502), re.compile(".*model server rejected the API key.*")),
    (failure(402, "Pay first."), (402, 403), "Pay first."),
    (failure(404, "The model `upstream-seer` does not exist", code="model_not_found"), 404, "model 'seer' not found"),
    (failure(408, "Slow."), 504, re.compile(".+")),
    (failure(413, "Big."), 413, re.compile("request too large.*")),
    (Reply(422, body=b'{"detail":[{"loc":["body","messages"],"msg":"field required"}]}'), 400, re.compile(r".*messages.*field required.*")),
    (failure(429, "Slow down.", headers={"Retry-After": "70"}), 429, "Slow down."),
    (Reply(404, content_type="text/html", body=b"<html>no such page</html>"), 502, re.compile(".+")),
    (Reply(400, content_type="text/html", body=b"<html>bad</html>"), 400, re.compile("400 .*from model server")),
    (failure(500, "Broken inside."), (500, 502), "Broken inside."),
    (failure(503, "Overloaded."), 503, "Overloaded."),
    (failure(400, "Provider returned error", metadata={"raw": '{"error":{"message":"The real reason."}}'}), 400, re.compile(".*The real reason.*")),
    (failure(404, "No endpoints found that support image input"), 400, re.compile("seer does not support vision.*"), WITH_PICTURE),
    (failure(404, "No endpoints found that support tool use"), 400, re.compile("seer does not support tools.*"), WITH_TOOL),
    # Errors under a 200, as the first thing in the stream and as a body.
    (Reply(content_type="text/event-stream", chunks=[sse({"error": {"message": "Fell over at once.", "code": 500}})]), (500, 502), "Fell over at once."),
    (Reply(content_type="application/json", body=b'{"error":{"message":"Body of error."}}'), (400, 500, 502), "Body of error."),
    (Reply(content_type="text/html", body=b"<html>Please sign in to the hotel</html>"), 502, re.compile(".+")),
    (Reply(content_type="text/event-stream", chunks=[b"data: [DONE]\n\n"]), (500, 502), re.compile(".*empty response.*")),
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("row", range(len(UPSTREAM)))
def test_upstream_error(http, stub, row, stream):
    reply, status, text, *more = UPSTREAM[row]
    stub.script(reply)
    answer = plain(http, stream=stream, **(more[0] if more else {}))
    assert answer.status_code in (status if isinstance(status, tuple) else (status,)), answer.text
    body = assert_error(answer, answer.status_code, text)
    # The command line client hides every message with these words in it.
    assert "upstream error" not in body["error"]
    if reply.status == 429:
        assert answer.headers["retry-after"] == "70"


def test_nobody_listens_upstream(new_bridge, stub):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with httpx.Client(base_url=new_bridge(models=stub_catalog(url)).url, timeout=30) as http:
        assert_error(plain(http), 502, re.compile("model server unreachable.*"))


def test_error_after_the_first_line(http, stub):
    """One error line, no done line, and the text up to there has arrived."""
    delta = sse({"choices": [{"index": 0, "delta": {"content": "Half"}}]})
    for end in ([sse({"error": {"message": "Gone."}})], [b"data: {not json\n\n"], []):
        stub.script(Reply(content_type="text/event-stream", chunks=[delta, *end]))
        answer = plain(http)
        assert answer.status_code == 200
        assert answer.text.endswith("\n")
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert lines[0]["message"]["content"] == "Half"
        assert set(lines[-1]) >= {"error"} and isinstance(lines[-1]["error"], str)
        assert not any(line.get("done") for line in lines)


def test_done_without_finish_reason_is_an_end(http, stub):
    stub.script(Reply(content_type="text/event-stream", chunks=[sse({"choices": [{"index": 0, "delta": {"content": "All"}}]}), b"data: [DONE]\n\n"]))
    lines = [json.loads(line) for line in plain(http).text.splitlines()]
    assert lines[-1]["done"] is True and lines[-1]["done_reason"] == "stop"


def test_comments_crlf_split_characters_and_late_usage(http, stub):
    text = "Grüße 🙂"
    event = b": OPENROUTER PROCESSING\r\n\r\ndata:" + json.dumps({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}]}, ensure_ascii=False).encode() + b"\r\n\r\n"
    usage = sse({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})
    whole = event + usage + b"data: [DONE]\n\n"
    stub.script(Reply(content_type="text/event-stream", chunks=[whole[at:at + 1] for at in range(len(whole))]))
    lines = [json.loads(line) for line in plain(http).text.splitlines()]
    assert "".join(line["message"]["content"] for line in lines) == text
    assert (lines[-1]["prompt_eval_count"], lines[-1]["eval_count"]) == (3, 4)


def test_json_answer_to_a_stream_and_the_reverse(http, stub):
    stub.script(Answer().whole({"model": "m"}))
    lines = [json.loads(line) for line in plain(http).text.splitlines()]
    assert "".join(line["message"]["content"] for line in lines) == "Hello from the stub." and lines[-1]["done"]
    stub.script(Answer().stream({"model": "m"}))
    assert plain(http, stream=False).json()["message"]["content"] == "Hello from the stub."


# Who may ask


def test_foreign_hosts_and_origins(bridge, http, stub):
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for mode, status in (("no-cors", 403), ("navigate", 200)):
        assert http.get("/", headers={**elsewhere, "Sec-Fetch-Mode": mode}).status_code == status
    assert http.post("/api/tags", headers={**elsewhere, "Sec-Fetch-Mode": "navigate"}).status_code == 403
    for headers in ({"Host": "evil.example"}, {"Host": "evil.example:11434"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        reply = http.get("/api/tags", headers=headers)
        assert (reply.status_code, reply.content) == (403, b""), headers
        reply = http.post("/api/chat", headers=headers, content=b'{"model":"seer","messages":[{"role":"user","content":"x"}]}')
        assert reply.status_code == 403
    assert stub.requests == []
    for origin in ("http://localhost:3000", "app://obsidian.md", "vscode-webview://abc", "tauri://localhost"):
        reply = http.get("/api/tags", headers={"Origin": origin})
        assert reply.status_code == 200
        assert reply.headers["access-control-allow-origin"] == origin
        assert "origin" in reply.headers["vary"].lower()
        reply = http.options("/api/chat", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
        assert reply.status_code == 204 and "POST" in reply.headers["access-control-allow-methods"]


@pytest.mark.parametrize("value", ["Bearer ollama", "Bearer", "Basic dTpw"])
def test_a_clients_authorization_is_neither_minded_nor_forwarded(http, stub, value):
    assert plain(http, stream=False).status_code == 200
    reply = http.post("/api/chat", headers={"Authorization": value}, json={"model": "seer", "messages": [{"role": "user", "content": "x"}]})
    assert reply.status_code == 200
    assert stub.last.headers["Authorization"] == "Bearer sk-stub-0123456789abcdef"
