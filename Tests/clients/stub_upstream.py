"""An OpenAI-compatible upstream that says what a test scripts and remembers what it was asked. Standard library only."""

import base64
import io
import json
import re
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

JPEG_PREFIX = "data:image/jpeg;base64,"


@dataclass
class Recorded:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict
    body: object

    def pictures(self):
        """Every image block, decoded by Pillow, in order. Fails unless each is a true JPEG in a data URL that says so."""
        return [picture for message in self.body["messages"] for picture in pictures_of(message)]

    def jpegs(self):
        """The bytes of every image block, in order."""
        return [data for message in self.body["messages"] for data in jpegs_of(message)]


def jpegs_of(message):
    content = message.get("content")
    if not isinstance(content, list):
        return []
    found = []
    for part in content:
        if part["type"] != "image_url":
            assert part["type"] == "text" and part["text"], f"an odd part of a message: {part}"
            continue
        url = part["image_url"]["url"]
        assert url.startswith(JPEG_PREFIX), f"not a JPEG data URL: {url[:60]}"
        found.append(base64.b64decode(url[len(JPEG_PREFIX):], validate=True))
    return found


def pictures_of(message):
    pictures = []
    for data in jpegs_of(message):
        assert data[:3] == b"\xff\xd8\xff" and data[-2:] == b"\xff\xd9", "no whole JPEG stream"
        picture = Image.open(io.BytesIO(data))
        assert picture.format == "JPEG", picture.format
        picture.load()
        pictures.append(picture)
    return pictures


def text_of(message):
    """A message's text, whichever of the two shapes it has."""
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if part["type"] == "text")
    return content


@dataclass
class Reply:
    """Bytes to answer with. `chunks` are sent one by one; an Event among them is waited for."""

    status: int = 200
    content_type: str = "application/json"
    body: bytes = b""
    chunks: list = None
    headers: dict = field(default_factory=dict)
    # Ends the connection without the terminating chunk, as a crashed upstream does.
    cut: bool = False


@dataclass
class Answer:
    """What the model says, given as a stream or whole, as the request asked."""

    pieces: list = field(default_factory=lambda: ["Hello", " from", " the stub."])
    thinking: list = field(default_factory=list)
    # (id, name, arguments) each; in a stream the arguments come in two halves.
    tool_calls: list = field(default_factory=list)
    finish: str = "stop"
    usage: dict = field(default_factory=lambda: {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18})
    logprobs: bool = False
    thinking_key: str = "reasoning_content"
    # Waited for after the first piece of a stream.
    gate: threading.Event = None

    def reply(self, request):
        return self.stream(request) if request.get("stream") else self.whole(request)

    def _head(self, kind, request):
        return {"id": "chatcmpl-stub", "object": kind, "created": 1_700_000_000, "model": request.get("model", "?")}

    def _logprob(self, text):
        one = {"token": text, "logprob": -0.25, "bytes": list(text.encode())}
        return {"content": [{**one, "top_logprobs": [one, {"token": "x", "logprob": -2.5, "bytes": [120]}]}]}

    def whole(self, request):
        message = {"role": "assistant", "content": "".join(self.pieces) or None}
        if self.thinking:
            message[self.thinking_key] = "".join(self.thinking)
        if self.tool_calls:
            message["tool_calls"] = [
                {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
                for id, name, arguments in self.tool_calls
            ]
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        if self.logprobs:
            choice["logprobs"] = {"content": [entry for piece in self.pieces for entry in self._logprob(piece)["content"]]}
        body = {**self._head("chat.completion", request), "choices": [choice], "usage": self.usage}
        return Reply(body=json.dumps(body).encode())

    def stream(self, request):
        def event(delta, finish=None, **more):
            choice = {"index": 0, "delta": delta, "finish_reason": finish, **more}
            return sse({**self._head("chat.completion.chunk", request), "choices": [choice]})

        chunks = [event({"role": "assistant", "content": ""})]
        chunks += [event({self.thinking_key: piece}) for piece in self.thinking]
        for index, piece in enumerate(self.pieces):
            chunks.append(event({"content": piece}, **({"logprobs": self._logprob(piece)} if self.logprobs else {})))
            if index == 0 and self.gate:
                chunks.append(self.gate)
        for index, (id, name, arguments) in enumerate(self.tool_calls):
            text = json.dumps(arguments)
            middle = len(text) // 2
            head = {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}
            chunks.append(event({"tool_calls": [head]}))
            for half in (text[:middle], text[middle:]):
                chunks.append(event({"tool_calls": [{"index": index, "function": {"arguments": half}}]}))
        chunks.append(event({}, self.finish))
        if request.get("stream_options", {}).get("include_usage"):
            chunks.append(sse({**self._head("chat.completion.chunk", request), "choices": [], "usage": self.usage}))
        chunks.append(b"data: [DONE]\n\n")
        return Reply(content_type="text/event-stream", chunks=chunks)


class Apprentice:
    """A model of few wits that suites written for real ones are content with: it uses the tools it is given, once, keeps to a schema, and
    talks about a tool's result."""

    def reply(self, request):
        last = request["messages"][-1]
        if last["role"] == "tool":
            return Answer(pieces=["The tool", " says ", str(last["content"])]).reply(request)
        asked = text_of(last)
        if request.get("tools"):
            function = request["tools"][0]["function"]
            arguments = sample(function.get("parameters", {}), asked)
            return Answer(pieces=[], tool_calls=[("call_apprentice", function["name"], arguments)], finish="tool_calls").reply(request)
        format = request.get("response_format", {})
        if format.get("type") == "json_schema":
            return Answer(pieces=[json.dumps(sample(format["json_schema"]["schema"], asked))]).reply(request)
        if format.get("type") == "json_object":
            keys = re.findall(r"'(\w+)'", asked) or ["answer"]
            return Answer(pieces=[json.dumps({key: "a cat" for key in keys})]).reply(request)
        return Answer(pieces=["You", " said: ", asked]).reply(request)


def sample(schema, asked):
    """A value that fits a schema: numbers and quoted words are taken from what was asked."""
    if "$ref" in schema or "anyOf" in schema:
        schema = schema.get("anyOf", [{"type": "object"}])[0]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "integer" | "number":
            found = re.findall(r"-?\d+", asked)
            return int(found[0]) if found else 1
        case "string":
            found = re.findall(r"'([^']+)'", asked)
            return found[0] if found else "a cat"
        case "boolean":
            return True
        case "array":
            return [sample(schema.get("items", {}), asked)]
        case _:
            return {name: sample(part, asked) for name, part in schema.get("properties", {}).items()}


def sse(value):
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def failure(status, message, **more):
    """An error as OpenAI gives it."""
    headers = more.pop("headers", {})
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **more}}
    return Reply(status=status, body=json.dumps(body).encode(), headers=headers)


class StubUpstream:
    """Listens on a free port of 127.0.0.1 until closed."""

    dimensions = 8

    def __init__(self):
        self.requests = []
        self._script = []
        self._changed = threading.Condition()
        self.reset()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.answer(None)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    body = json.loads(body)
                except ValueError:
                    pass
                self.answer(body)

            def answer(self, body):
                reply = stub._answer(self.command, self.path, dict(self.headers.items()), body)
                try:
                    self.send(reply)
                except OSError:
                    # The bridge has left; a test asks `wait_for_hangup` about it.
                    self.close_connection = True
                    stub._hung_up()

            def send(self, reply):
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.chunks is None:
                    self.send_header("Content-Length", str(len(reply.body)))
                    self.end_headers()
                    self.wfile.write(reply.body)
                    return
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for chunk in reply.chunks:
                    if isinstance(chunk, threading.Event):
                        self.wait(chunk)
                        continue
                    self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                    self.wfile.flush()
                if reply.cut:
                    self.close_connection = True
                else:
                    self.wfile.write(b"0\r\n\r\n")

            def wait(self, event):
                """Until the event, or until the other side has gone."""
                self.connection.settimeout(0.02)
                try:
                    while not event.is_set():
                        try:
                            if self.connection.recv(1) == b"":
                                raise ConnectionResetError
                        except TimeoutError:
                            pass
                finally:
                    self.connection.settimeout(None)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        self.hangups = 0
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def reset(self):
        with self._changed:
            self.requests.clear()
            self._script.clear()
            self.hangups = 0
            # Vectors as base64 even to those who asked for numbers; and whether embeddings come with their tokens counted.
            self.embeds_as_base64 = False
            self.counts_tokens = True

    def script(self, *replies):
        """What to answer, one each; the last one stays. Without a script an `Answer()` is given."""
        with self._changed:
            self._script = list(replies)

    @property
    def last(self):
        """The newest request for an inference."""
        assert self.requests, "the upstream was not asked"
        return self.requests[-1]

    def wait_for_hangup(self, seconds=5):
        with self._changed:
            return self._changed.wait_for(lambda: self.hangups > 0, seconds)

    def wait_for_request(self, seconds=5):
        with self._changed:
            return self._changed.wait_for(lambda: self.requests, seconds)

    def _hung_up(self):
        with self._changed:
            self.hangups += 1
            self._changed.notify_all()

    def _answer(self, method, path, headers, body):
        if method == "GET":
            # Asked by the bridge whenever it likes; no part of what tests count.
            return Reply(body=json.dumps({"object": "list", "data": []}).encode())
        with self._changed:
            self.requests.append(Recorded(method, path, headers, body))
            scripted = self._script.pop(0) if len(self._script) > 1 else (self._script[0] if self._script else None)
            self._changed.notify_all()
        if isinstance(scripted, Reply):
            return scripted
        if path.endswith("/embeddings"):
            return self._embeddings(body)
        if path.endswith("/completions") and not path.endswith("/chat/completions"):
            return self._completion(body)
        return (scripted or Answer()).reply(body)

    def _embeddings(self, body):
        inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
        count = body.get("dimensions") or self.dimensions
        if not 0 < count <= 4096:
            return failure(400, f"dimensions must be from 1 to 4096, not {count}")
        # Not of length one, so that normalising shows; backwards, so that sorting does.
        data = [
            {"object": "embedding", "index": index, "embedding": [float(len(text) + step + 1) for step in range(count)]}
            for index, text in reversed(list(enumerate(inputs)))
        ]
        if body.get("encoding_format") == "base64" or self.embeds_as_base64:
            for entry in data:
                entry["embedding"] = base64.b64encode(struct.pack(f"<{count}f", *entry["embedding"])).decode()
        usage = {"prompt_tokens": 5 * len(inputs), "total_tokens": 5 * len(inputs)}
        if not self.counts_tokens:
            return Reply(body=json.dumps({"object": "list", "data": data, "model": body["model"]}).encode())
        return Reply(body=json.dumps({"object": "list", "data": data, "model": body["model"], "usage": usage}).encode())

    def _completion(self, body):
        choice = {"index": 0, "text": "return a + b", "finish_reason": "stop", "logprobs": None}
        value = {"id": "cmpl-stub", "object": "text_completion", "created": 1_700_000_000, "model": body["model"]}
        usage = {"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9}
        if body.get("stream"):
            chunks = [sse({**value, "choices": [choice]}), sse({**value, "choices": [], "usage": usage}), b"data: [DONE]\n\n"]
            return Reply(content_type="text/event-stream", chunks=chunks)
        return Reply(body=json.dumps({**value, "choices": [choice], "usage": usage}).encode())
