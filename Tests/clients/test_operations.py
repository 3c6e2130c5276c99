"""What happens to a process in the wild: no descriptors left, full disks, closed pipes, signals, crashes."""

import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import httpx
import pytest

from bridge import BINARY, stub_catalog
from conftest import STUB_KEY
from stub_upstream import Answer

ASK = {"model": "seer", "messages": [{"role": "user", "content": "x"}]}


def eventually(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def at_most(kind, value):
    return lambda: resource.setrlimit(kind, (value, value))


def test_no_descriptor_left(new_bridge):
    """Accepting pauses instead of spinning, who is connected is served, and all is well again afterwards."""
    bridge = new_bridge(before_start=at_most(resource.RLIMIT_NOFILE, 100))
    with httpx.Client(base_url=bridge.url, timeout=10) as client:
        assert client.get("/api/version").status_code == 200
        before = descriptors(bridge.process.pid)
        crowd = [socket.create_connection(("127.0.0.1", bridge.port)) for _ in range(150)]
        assert eventually(lambda: "No connection can be accepted for now" in bridge.log())
        began = cpu_seconds(bridge.process.pid)
        time.sleep(2)
        assert cpu_seconds(bridge.process.pid) - began < 0.2
        assert client.get("/api/tags").status_code == 200
        # Neither upstream nor direct way can be had now; the answer says so, or comes by the usual way.
        answer = client.post("/api/chat", json={**ASK, "stream": False})
        assert answer.status_code in (200, 502) and "error" in answer.json() or answer.json()["done"]
        for connection in crowd:
            connection.close()
        assert eventually(lambda: descriptors(bridge.process.pid) <= before + 3)
        assert eventually(lambda: client.post("/api/chat", json={**ASK, "stream": False}).status_code == 200)
    assert httpx.get(bridge.url + "/api/version").status_code == 200
    assert bridge.log().count("No connection can be accepted") == 1


def test_full_disk_under_the_audit(new_bridge):
    bridge = new_bridge("--audit-file", "/dev/full")
    for _ in range(3):
        assert httpx.post(bridge.url + "/api/chat", json=ASK).status_code == 200
    assert eventually(lambda: "The audit file cannot be written" in bridge.log())
    assert bridge.log().count("The audit file cannot be written") == 1


def test_audit_that_may_not_grow_holds_whole_lines_only(new_bridge, tmp_path):
    audit = tmp_path / "audit.jsonl"
    bridge = new_bridge(
        "--audit-file", str(audit), "--log-level", "critical", before_start=at_most(resource.RLIMIT_FSIZE, 2000)
    )
    for number in range(30):
        assert httpx.get(bridge.url + f"/api/version?{'x' * number}").status_code == 200
    assert bridge.stop() == 0
    lines = audit.read_text().splitlines()
    assert 5 < len(lines) < 30 and audit.stat().st_size <= 2000
    assert all(json.loads(line)["status"] == 200 for line in lines)


def test_nobody_reads_its_output(stub, tmp_path):
    models = tmp_path / "models.json"
    models.write_text(json.dumps(stub_catalog(stub.url)))
    process = subprocess.Popen(
        [str(BINARY), "serve", "--port", "0", "--models", str(models), "--log-level", "debug"],
        cwd=tmp_path, env={"PATH": os.environ["PATH"], "STUB_API_KEY": STUB_KEY}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    try:
        url = process.stdout.readline().split()[-1].decode()
        process.stdout.close()
        process.stderr.close()
        for _ in range(5):
            assert httpx.post(url + "/api/chat", json=ASK).status_code == 200
        process.send_signal(signal.SIGHUP)
        assert httpx.post(url + "/api/chat", json=ASK).status_code == 200
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2], ids=lambda number: number.name)
def test_signals_that_end_nothing(new_bridge, number):
    bridge = new_bridge()
    for _ in range(3):
        bridge.process.send_signal(number)
        assert httpx.post(bridge.url + "/api/chat", json=ASK).status_code == 200
    assert bridge.process.poll() is None
    assert ("Models reloaded" in bridge.log()) == (number == signal.SIGHUP)


@pytest.mark.parametrize("number", [signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGSEGV], ids=lambda number: number.name)
def test_a_crash_shows_no_memory(new_bridge, number):
    bridge = new_bridge(environment={"SWIFT_BACKTRACE": "enable=yes"})
    assert httpx.post(bridge.url + "/api/chat", json=ASK).status_code == 200
    before = len(bridge.log())
    bridge.process.send_signal(number)
    assert bridge.process.wait(10) == -number
    assert bridge.log()[before:] == ""
    assert not [name for name in os.listdir(bridge.folder.name) if "core" in name]


@pytest.fixture(scope="module")
def shifted_clock(tmp_path_factory):
    """A library that gives its process a wall clock of its own; Swift brings the compiler, though not always on the path."""
    compiler = shutil.which("clang") or shutil.which("cc") or pathlib.Path(shutil.which("swift")).resolve().with_name("clang")
    library = tmp_path_factory.mktemp("clock") / "shifted_clock.so"
    source = pathlib.Path(__file__).with_name("shifted_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source], check=True)
    return library


def test_the_wall_clock_is_set_by_a_day(new_bridge, stub, tmp_path, shifted_clock):
    """Running answers go on and are timed by what really passed, and the bridge goes on looking at its files."""
    shift = tmp_path / "shift"
    shift.write_text("0")
    bridge = new_bridge(environment={"LD_PRELOAD": str(shifted_clock), "SHIFTED_CLOCK": str(shift)})
    models = pathlib.Path(bridge.folder.name) / "models.json"
    day = 86_400
    with httpx.Client(base_url=bridge.url, timeout=10) as client:
        for number, seconds in enumerate([day, -day, 0]):
            gate = threading.Event()
            stub.script(Answer(gate=gate), Answer())
            with client.stream("POST", "/api/chat", json=ASK) as answer:
                lines = answer.iter_lines()
                first = json.loads(next(lines))
                shift.write_text(str(seconds))
                # The files' thread has to have gone to sleep before and to wake after.
                time.sleep(1)
                gate.set()
                last = [json.loads(line) for line in lines][-1]
            assert first["message"]["content"] == "Hello" and last["done"] and last["done_reason"] == "stop"
            assert 1e9 < last["total_duration"] < 10e9
            assert client.post("/api/chat", json={**ASK, "stream": False}).json()["done"]
            assert [entry["model"] for entry in client.get("/api/ps").json()["models"]] == ["seer:latest"]
            catalog = json.loads(models.read_text())
            catalog["models"][f"new-{number}"] = {"provider": "stub", "model": "m"}
            models.write_text(json.dumps(catalog))
            assert eventually(lambda: f"new-{number}:latest" in client.get("/api/tags").text)
