"""The servers of a run: the stub upstream, nginx, the bridge, and the peers."""

import json
import os
import pathlib
import shutil

from processes import Process, answers, free_port, listens

NGINX = """
daemon off;
worker_processes 1;
error_log {folder}/nginx-error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 16384; }}
worker_rlimit_nofile 40000;
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    tcp_nodelay on;
    keepalive_requests 100000000;
    upstream stub {{ server 127.0.0.1:{upstream}; keepalive 4096; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        client_max_body_size 200m;
        client_body_buffer_size 64k;
        location / {{
            proxy_pass http://stub;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_request_buffering off;
        }}
    }}
}}
"""

# Chunks and pace of the streams that the stub plays; see load/upstream.c.
MODELS = [
    "c200p0", "c200p1000", "c200p2000", "c40p20000", "c40p50000", "c200p20000", "c100p50000", "c100p100000", "json"]


class Servers:
    def __init__(self, folder, tools, binary, peers_venv=None):
        self.folder, self.tools, self.binary, self.venv = folder, tools, binary, peers_venv
        self.log = open(folder / "servers.log", "ab")
        self.running = []
        self.upstream_port = free_port()
        self.upstream = self._start("upstream", [tools / "upstream", self.upstream_port], listens(self.upstream_port))

    def _start(self, name, command, ready, environment=None, folder=None):
        process = Process(name, [str(word) for word in command], self.log, ready, environment, folder)
        self.running.append(process)
        return process

    def direct(self):
        """The stub itself, with no proxy before it."""
        self.upstream.port, self.upstream.path, self.upstream.model = self.upstream_port, "/v1/chat/completions", "{}"
        return self.upstream

    @property
    def nginx_program(self):
        return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or self.tools / "nginx/usr/sbin/nginx"

    def nginx(self):
        port = free_port()
        configuration = self.folder / "nginx.conf"
        configuration.write_text(NGINX.format(folder=self.folder, upstream=self.upstream_port, port=port))
        process = self._start("nginx", [self.nginx_program, "-p", self.folder, "-c", configuration], listens(port))
        process.port, process.path, process.model = port, "/v1/chat/completions", "{}"
        return process

    def relay(self):
        """libcurl alone: the least that a relay with it costs."""
        port = free_port()
        process = self._start("relay", [self.tools / "relay", port, self.upstream_port], listens(port))
        process.port, process.path, process.model = port, "/", "{}"
        return process

    def bridge(self, name="bridge", environment=None):
        port = free_port()
        models = self.folder / "models.json"
        entries = {
            model: {
                "provider": "stub", "model": model, "vision": True,
                "images": {"max_bytes": 20_000_000, "max_edge": 8192, "max_count": 100},
            } for model in MODELS}
        # The same for pictures that are to be shrunk.
        entries["json-2048"] = {"provider": "stub", "model": "json", "vision": True, "images": {"max_bytes": 20_000_000, "max_edge": 2048}}
        models.write_text(json.dumps({
            "images": {"max_request_bytes": 100_000_000},
            "providers": {"stub": {"base_url": f"http://127.0.0.1:{self.upstream_port}/v1", "dialect": "openai"}},
            "models": entries}))
        command = [
            self.binary, "serve", "--port", port, "--models", models, "--log-level", "warning", "--max-connections", 4096, "--max-running", 4096]
        process = self._start(name, command, listens(port), environment, self.folder)
        process.port, process.path, process.model = port, "/api/chat", "{}"
        return process

    def peers(self):
        """Ollama-to-OpenAI proxies from PyPI, each on loopback, with its defaults but for a quiet log."""
        if not self.venv:
            return []
        return [self._ollama_openai_proxy(), self._ollama_proxy_plus()]

    def _ollama_openai_proxy(self):
        # Its wheel puts the modules at the top level while they import each other from `src`.
        modules = self.folder / "ollama-openai-proxy" / "src"
        modules.mkdir(parents=True, exist_ok=True)
        packages = next(pathlib.Path(self.venv, "lib").glob("python3*/site-packages"))
        for name in ["main.py", "config.py", "models.py", "_version.py", "middleware", "routers", "translators", "utils"]:
            if not (modules / name).exists():
                (modules / name).symlink_to(packages / name)
        (modules / "__init__.py").touch()
        port = free_port()
        environment = dict(
            os.environ, OPENAI_API_BASE_URL=f"http://127.0.0.1:{self.upstream_port}/v1", OPENAI_API_KEY="none", LOG_LEVEL="WARNING",
            PYTHONPATH=str(modules.parent))
        command = [self.venv / "bin/uvicorn", "src.main:app", "--host", "127.0.0.1", "--port", port, "--log-level", "warning"]
        process = self._start("ollama-openai-proxy", command, listens(port), environment, self.folder)
        process.port, process.path, process.model = port, "/api/chat", "{}"
        return process

    def _ollama_proxy_plus(self):
        port = free_port()
        environment = dict(
            os.environ, PROVIDERS_STUB_API_KEY="none", PROVIDERS_STUB_BASE_URL=f"http://127.0.0.1:{self.upstream_port}/v1")
        command = [
            self.venv / "bin/uvicorn", "ollama_proxy.server:app", "--host", "127.0.0.1", "--port", port, "--log-level", "warning"]
        process = self._start("ollama-proxy-plus", command, listens(port), environment, self.folder)
        process.port, process.path, process.model = port, "/api/chat", "stub/{}"
        return process

    def stop(self, process=None):
        for each in [process] if process else list(reversed(self.running)):
            each.stop()
            self.running.remove(each)
