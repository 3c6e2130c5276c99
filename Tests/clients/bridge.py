"""Starts and stops the real binary."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("OLLAMA_BRIDGE_BINARY", REPOSITORY / ".build/debug/ollama-bridge")).resolve()
STARTED = re.compile(r"listening on (https?)://127\.0\.0\.1:(\d+)")


class Bridge:
    """`ollama-bridge serve` on a free port of 127.0.0.1, in a working directory of its own, with none of our environment."""

    def __init__(self, models, *arguments, environment=None, before_start=None):
        self.folder = tempfile.TemporaryDirectory(prefix="bridge-")
        folder = pathlib.Path(self.folder.name)
        if isinstance(models, pathlib.Path):
            path = models
        else:
            path = folder / "models.json"
            path.write_text(json.dumps(models))
        self.log_path = folder / "log"
        command = [str(BINARY), "serve", "--host", "127.0.0.1", "--port", "0", "--models", str(path), *arguments]
        variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "SWIFT_BACKTRACE": "enable=no", **(environment or {})}
        for name, value in os.environ.items():
            if name.startswith(("ASAN_", "LSAN_", "TSAN_")):
                variables[name] = value
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                preexec_fn=before_start,
            )
        self.output = []
        self.port = None
        self.scheme = None
        started = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(started,), daemon=True)
        self._reader.start()
        if not started.wait(30) or self.port is None:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"the bridge did not start: {self.output} {self.log()}")
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"

    def _read(self, started):
        for line in self.process.stdout:
            line = line.decode(errors="replace")
            self.output.append(line)
            found = STARTED.search(line)
            if found and self.port is None:
                self.scheme, self.port = found.group(1), int(found.group(2))
                started.set()
        started.set()

    def log(self):
        """What it has written to standard error so far."""
        return self.log_path.read_text(errors="replace")

    def stop(self):
        """Ends it the way an operator would.

        Returns its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise RuntimeError("the bridge did not stop within 20 s of SIGTERM")
        self._reader.join(5)
        status = self.process.returncode
        self.folder.cleanup()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def run(*arguments, environment=None, stdin=b"", cwd=None):
    """Runs the binary to its end, for starts that must fail and for the other subcommands."""
    with tempfile.TemporaryDirectory(prefix="bridge-") as folder:
        variables = {"PATH": os.environ["PATH"], "HOME": folder, "SWIFT_BACKTRACE": "enable=no", **(environment or {})}
        return subprocess.run(
            [str(BINARY), *arguments], cwd=cwd or folder, env=variables, input=stdin, capture_output=True, timeout=30
        )


def stub_catalog(stub_url, **more):
    """A models.json whose models live at the stub upstream; `more` adds or replaces models."""
    models = {
        # Everything a model can be.
        "seer": {"vision": True, "tools": True, "thinking": True, "context_length": 32768},
        # Nothing but text.
        "blind": {"vision": False, "tools": False, "thinking": False, "context_length": 8192},
        # With limits that are easily met.
        "narrow": {
            "vision": True, "tools": True, "thinking": False, "context_length": 8192,
            "images": {"max_count": 2, "max_bytes": 60_000, "max_edge": 256},
        },
        "embedder": {"embedding": True, "completion": False, "context_length": 2048},
        # A name as OpenRouter has them.
        "vendor/model:free": {"vision": True, "tools": True, "context_length": 16384},
    }
    models.update(more)
    for name, entry in models.items():
        entry.setdefault("provider", "stub")
        entry.setdefault("model", f"upstream-{name}")
    return {
        "providers": {"stub": {"base_url": stub_url, "api_key_env": "STUB_API_KEY", "dialect": "generic"}},
        "models": models,
    }
