"""What every test may ask for. All servers listen on 127.0.0.1, on ports that were free."""

import os

import httpx
import pytest

from bridge import BINARY, REPOSITORY, Bridge, stub_catalog
from image_host import ImageHost
from stub_upstream import StubUpstream

# LangChain would send what it sees to a service of its makers.
os.environ["LANGSMITH_TRACING"] = "false"

STUB_KEY = "sk-stub-0123456789abcdef"


def pytest_sessionstart(session):
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} is not there: build it first (make test does), or set OLLAMA_BRIDGE_BINARY")


@pytest.fixture(scope="session")
def stub_server():
    stub = StubUpstream()
    yield stub
    stub.close()


@pytest.fixture
def stub(stub_server):
    """The scripted upstream, freshly reset."""
    stub_server.reset()
    return stub_server


@pytest.fixture(scope="session")
def image_server():
    host = ImageHost()
    yield host
    host.close()


@pytest.fixture
def image_host(image_server):
    image_server.reset()
    return image_server


@pytest.fixture(scope="module")
def bridge_to_stub(stub_server):
    """Starts the bridge in front of the stub upstream when asked: one for each test file, so that nothing it remembers reaches another file,
    and a new one after a crash, so that one fault does not fail the rest."""
    running = []

    def start():
        if not running or running[-1].process.poll() is not None:
            catalog = stub_catalog(stub_server.url)
            running.append(Bridge(catalog, "--allow-image-host", "127.0.0.1", environment={"STUB_API_KEY": STUB_KEY}))
        return running[-1]

    yield start
    for bridge in running:
        bridge.stop()


@pytest.fixture
def bridge(bridge_to_stub, stub):
    bridge = bridge_to_stub()
    yield bridge
    status = bridge.process.poll()
    assert status is None, f"the bridge died during this test with status {status}: {bridge.log()[-2000:]}"


@pytest.fixture
def new_bridge(stub):
    """Starts further bridges: `new_bridge(*arguments, environment=…, models=…, before_start=…)`."""
    started = []

    def start(*arguments, environment=None, models=None, **more):
        variables = {"STUB_API_KEY": STUB_KEY, **(environment or {})}
        bridge = Bridge(models or stub_catalog(stub.url), *arguments, environment=variables, **more)
        started.append(bridge)
        return bridge

    yield start
    for bridge in started:
        bridge.stop()


@pytest.fixture(scope="session")
def demo():
    """A bridge as a newcomer starts it: the shipped models.json, no key, and so only the demo model."""
    with Bridge(REPOSITORY / "models.json") as bridge:
        yield bridge


@pytest.fixture
def http(bridge):
    """Plain HTTP to the bridge before the stub."""
    with httpx.Client(base_url=bridge.url, timeout=30) as client:
        yield client
