"""A thousand clients who do not play fair, and the honest one beside them."""

import pathlib
import resource
import selectors
import socket
import time

import httpx
import pytest

COUNT = 1000
# Seconds. Who is kept waiting by a crowd waits for the crowd's own limits, ten seconds and more; a busy machine takes less.
PATIENCE = 6


@pytest.fixture(autouse=True)
def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < COUNT + 200:
        pytest.skip(f"only {hard} descriptors may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident(bridge):
    text = pathlib.Path(f"/proc/{bridge.process.pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS:")).split()[1]) * 1024


def connect(bridge, receive_buffer=None):
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect(("127.0.0.1", bridge.port))
    return connection


def ended(connections):
    """Those of the connections that the bridge has ended."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        return [key.fileobj for key, _ in selector.select(0)]


def honest(bridge, seconds):
    """Asks now and then, on connections of its own. Returns how long each answer took, and the slowest."""
    times = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        assert httpx.get(bridge.url + "/api/tags", timeout=20).status_code == 200
        times.append(time.monotonic() - began)
        began = time.monotonic()
        answer = httpx.post(bridge.url + "/api/generate", json={"model": "seer", "prompt": "x", "stream": False}, timeout=20)
        assert answer.status_code == 200, answer.text
        times.append(time.monotonic() - began)
        time.sleep(0.1)
    return sorted(times)


def finish(bridge, connections, before):
    for connection in connections:
        connection.close()
    deadline = time.monotonic() + 20
    while '"clients":1,' not in httpx.get(bridge.url + "/bridge/status").text:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # A debug build's connection, with room for what the allocator keeps.
    assert resident(bridge) - before < 100 << 20


def test_slow_loris(new_bridge):
    """Heads that trickle: each is cut off after ten seconds, however busy it looks."""
    bridge = new_bridge()
    assert httpx.get(bridge.url + "/api/version").status_code == 200
    before = resident(bridge)
    began = time.monotonic()
    slow = [connect(bridge) for _ in range(COUNT)]
    for connection in slow:
        connection.sendall(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\n")
    opened = time.monotonic()
    left, times = list(slow), []
    while left and time.monotonic() - opened < 20:
        times += honest(bridge, 0.5)
        gone = set(ended(left))
        left = [connection for connection in left if connection not in gone]
        for connection in left:
            try:
                connection.sendall(b"X-A: b\r\n" if time.monotonic() - began > 2 else b"X")
            except OSError:
                pass
    assert not left
    times.sort()
    assert times[len(times) * 99 // 100] < PATIENCE, times[-5:]
    assert all(connection.recv(100).startswith(b"HTTP/1.1 408") for connection in slow[:50])
    finish(bridge, slow, before)


def test_a_thousand_who_say_nothing(new_bridge):
    bridge = new_bridge()
    assert httpx.get(bridge.url + "/api/version").status_code == 200
    before = resident(bridge)
    silent = [connect(bridge) for _ in range(COUNT)]
    times = honest(bridge, 2)
    assert times[len(times) * 99 // 100] < PATIENCE, times[-5:]
    assert resident(bridge) - before < COUNT * 60_000
    deadline = time.monotonic() + 20
    while len(ended(silent)) < COUNT:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    finish(bridge, silent, before)


def test_a_thousand_who_read_nothing(new_bridge):
    """Each asks for much and takes none of it. What many of them do to those who wait for a place: ListenerLimitsTests."""
    bridge = new_bridge()
    assert httpx.get(bridge.url + "/api/version").status_code == 200
    before = resident(bridge)
    deaf = [connect(bridge, receive_buffer=4096) for _ in range(COUNT)]
    ask = b"GET /api/tags HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40
    for connection in deaf:
        connection.setblocking(False)
        try:
            connection.send(ask)
        except BlockingIOError:
            pass
    times = honest(bridge, 10)
    assert times[len(times) * 99 // 100] < PATIENCE, times[-5:]
    assert resident(bridge) - before < 200 << 20
    finish(bridge, deaf, before)


def test_a_thousand_slow_bodies(new_bridge):
    """Bodies of a byte a second hold neither memory for what they announce nor places at upstreams."""
    bridge = new_bridge()
    assert httpx.get(bridge.url + "/api/version").status_code == 200
    before = resident(bridge)
    slow = [connect(bridge) for _ in range(COUNT)]
    for connection in slow:
        connection.sendall(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{")
    times = []
    for _ in range(16):
        times += honest(bridge, 0.8)
        for connection in slow:
            try:
                connection.sendall(b" ")
            except OSError:
                pass
    gone = len(ended(slow))
    assert gone == COUNT, f"{COUNT - gone} of them go on"
    times.sort()
    assert times[len(times) * 99 // 100] < PATIENCE, times[-5:]
    finish(bridge, slow, before)
