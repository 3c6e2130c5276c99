"""HTTP/1.1 by hand, to see what libraries hide: which bytes came in which chunk, and exactly which headers."""

import json
import socket
from dataclasses import dataclass


@dataclass
class RawReply:
    status: int
    # Names in lower case.
    headers: dict
    body: bytes
    # The payload of each chunk, or None when the reply had a length.
    chunks: list

    @property
    def value(self):
        """The JSON of the body; a list of values when it is NDJSON."""
        if self.headers.get("content-type") == "application/x-ndjson":
            return [json.loads(line) for line in self.body.split(b"\n")[:-1]]
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            events = [event for event in self.body.decode().split("\n\n") if event]
            assert all(event.startswith("data: ") and "\n" not in event for event in events), "no plain data events"
            assert events and events[-1] == "data: [DONE]", "no end of the stream"
            return [json.loads(event[len("data: "):]) for event in events[:-1]]
        return json.loads(self.body)


class RawClient:
    """One connection that is kept alive."""

    def __init__(self, port):
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.file = self.connection.makefile("rb")
        self.port = port

    def close(self):
        self.file.close()
        self.connection.close()

    def ask(self, method, path, body=None, headers=None):
        data = b"" if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        lines = {"Host": f"localhost:{self.port}", **(headers or {})}
        if body is not None:
            lines.setdefault("Content-Type", "application/json")
            lines["Content-Length"] = str(len(data))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
        self.connection.sendall(head.encode() + data)
        return self._read(method)

    def _read(self, method):
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().strip()):
            name, value = line.decode().split(":", 1)
            headers[name.lower()] = value.strip()
        if method == "HEAD" or status == 204:
            return RawReply(status, headers, b"", None)
        if headers.get("transfer-encoding") == "chunked":
            chunks = []
            while (size := int(self.file.readline().split(b";")[0], 16)):
                chunks.append(self.file.read(size))
                assert self.file.read(2) == b"\r\n"
            assert self.file.readline() == b"\r\n"
            return RawReply(status, headers, b"".join(chunks), chunks)
        return RawReply(status, headers, self.file.read(int(headers["content-length"])), None)
