"""Starts the bridge before the stub upstream and lets schemathesis loose on it. Started by Scripts/schemathesis."""

import os
import pathlib
import subprocess
import sys
import tempfile

import httpx
import yaml

from bridge import REPOSITORY, Bridge, stub_catalog
from stub_upstream import StubUpstream

# Requests that name no model we have are all alike; nine in ten should get past that.
NAMES = ["seer", "seer:latest", "blind", "narrow", "embedder", "vendor/model:free", "SEER", "nobody", ""]


def with_known_names(value):
    """The description, with the names of our models wherever a model is asked for."""
    if isinstance(value, dict):
        value = {key: with_known_names(part) for key, part in value.items()}
        properties = value.get("properties")
        if isinstance(properties, dict) and properties.get("model", {}).get("type") == "string":
            properties["model"] = {"type": "string", "enum": NAMES}
        return value
    return [with_known_names(part) for part in value] if isinstance(value, list) else value


def requests_only(document):
    """Without the schemas of answers: NDJSON is checked elsewhere, line by line. What is left to judge is status, crash and hang."""
    for item in document["paths"].values():
        for operation in item.values():
            operation["responses"] = {"default": {"description": "Any"}}
    return document


def main():
    cases, seed = sys.argv[1:]
    source = pathlib.Path(os.environ.get("OLLAMA_OPENAPI", REPOSITORY / "fixtures/openapi/answers.yaml"))
    document = yaml.safe_load(source.read_text())
    document["components"]["schemas"] = with_known_names(document["components"]["schemas"])
    command = REPOSITORY / ".build-schemathesis/bin/schemathesis"
    stub = StubUpstream()
    with tempfile.TemporaryDirectory() as folder, Bridge(stub_catalog(stub.url), environment={"STUB_API_KEY": "sk-stub"}) as bridge:
        path = pathlib.Path(folder) / "requests.yaml"
        path.write_text(yaml.safe_dump(requests_only(document)))
        status = subprocess.run(
            [
                str(command), "run", str(path), "--url", bridge.url, "--mode", "all", "--max-examples", cases, "--seed", seed,
                "--checks", "no_fault_of_ours", "--phases", "examples,coverage,fuzzing", "--request-timeout", "10",
                "--generation-database", "none", "--continue-on-failure",
            ],
            cwd=folder,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_checks", "PYTHONPATH": str(pathlib.Path(__file__).parent)},
        ).returncode
        alive = bridge.process.poll() is None and httpx.get(bridge.url + "/api/version").status_code == 200
    stub.close()
    if not alive:
        print("schemathesis: the bridge did not survive")
    sys.exit(status or (0 if alive else 1))


if __name__ == "__main__":
    main()
