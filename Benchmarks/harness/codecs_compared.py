"""Pictures: the normaliser against bare library calls in C, and against Pillow and vips; what a picture costs on its way through the bridge."""

import hashlib
import re
import subprocess
import sys
import time

from loads import chat

PILLOW = """
import sys, time
from PIL import Image
edge = int(sys.argv[2])
started = time.perf_counter()
picture = Image.open(sys.argv[1])
if edge: picture.thumbnail((edge, edge))
if picture.mode == "RGBA":
    background = Image.new("RGB", picture.size, (255, 255, 255))
    background.paste(picture, mask=picture.getchannel("A"))
    picture = background
picture.convert("RGB").save(sys.argv[3], quality=85)
print(time.perf_counter() - started)
"""
COMPARED = ["12mp.png", "12mp.webp", "12mp-alpha.webp", "12mp.jpg"]


class Codecs:
    def __init__(self, folder, tools, images, report, rounds, servers, loads):
        self.folder, self.tools, self.images, self.report = folder, tools, images, report
        self.rounds = max(5, rounds)
        self.servers, self.loads = servers, loads

    def _run(self, *command):
        started = time.perf_counter()
        output = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout
        return output, time.perf_counter() - started

    def _field(self, text, name):
        return float(re.search(name + r"=([0-9.]+)", text).group(1))

    def _bench(self, name, *options):
        return self._run(self.tools / "image-bench", self.images[name], *options)

    def _options(self, name, edge):
        if edge:
            return ["--edge", edge]
        # Without a reason to touch it, a JPEG would pass through.
        return ["--max-base64", self.images[name].stat().st_size * 4 // 3 - 8] if name.endswith(".jpg") else []

    def _vips(self, file, edge):
        target = f"{self.folder / 'vips.jpg'}[Q=85]"
        return ["vips", "thumbnail", file, target, edge, "--size", "down"] if edge else ["vips", "copy", file, target]

    def all(self):
        self.compare()
        self.pass_through()
        self.cached()
        self.memory()

    def compare(self):
        costs = {}
        for name in COMPARED:
            for edge in [0, 2048]:
                costs[name, edge] = self._compare(name, edge)
        ratios = [shrunk / full for shrunk, full in zip(costs["12mp.png", 2048], costs["12mp.png", 0])]
        self.report.add("P1", "CPU of 12mp.png → JPEG, to 2,048 over full size", "×", ratios, 1)

    def _compare(self, name, edge):
        file, way = self.images[name], "to 2,048" if edge else "full size"
        bare, ours, walls, pillow, vips = [], [], [], [], []
        for _ in range(self.rounds):
            bare.append(self._field(self._run(self.tools / "baseline", file, edge, 1)[0], "cpu_ms"))
            output, wall = self._bench(name, "--runs", 1, *self._options(name, edge))
            ours.append(self._field(output, "cpu_ms"))
            walls.append(wall * 1000)
            pillow.append(float(self._run(sys.executable, "-c", PILLOW, file, edge, self.folder / "pillow.jpg")[0]) * 1000)
            vips.append(self._run(*self._vips(file, edge))[1] * 1000)
        what = f"of {name} → JPEG, {way}"
        self.report.add("P1", f"CPU {what}", "ms", ours)
        self.report.add("P1", f"CPU {what}, over bare library calls", "×", [mine / least for mine, least in zip(ours, bare)], 1.10)
        self.report.add("P2", f"wall time {what}", "ms", walls)
        for other, theirs in [("Pillow", pillow), ("vips", vips)]:
            self.report.add("P2", f"wall time {what}, over {other}'s", "×", [mine / its for mine, its in zip(walls, theirs)], 1)
        return ours

    def pass_through(self):
        costs = [self._field(self._bench("6mb.jpg", "--wire", "--runs", 5)[0], "cpu_ms") for _ in range(self.rounds)]
        self.report.add("P3", "CPU of a 6 MB JPEG, base64 in → checked, stripped → base64 out", "ms", costs, 10)

    def cached(self):
        """A picture that came before, against the least that finding it by content would cost."""
        jpeg = self.images["6mb.jpg"].read_bytes()
        body = chat("json", False, [jpeg])
        nginx, bridge = self.servers.nginx(), self.servers.bridge()

        def cost(server):
            return self.loads.run(server, body, 1, 8, 1)["cpu"] / 8 * 1000

        cost(nginx), cost(bridge)
        extra, least = [], []
        for _ in range(self.rounds):
            # nginx forwards the same body and looks at nothing: the rest is what the picture costs here.
            extra.append(cost(bridge) - cost(nginx))
            decode = self._field(self._bench("6mb.jpg", "--decode", "--runs", 5)[0], "cpu_ms")
            before = time.process_time()
            for _ in range(5):
                hashlib.sha256(jpeg).digest()
            least.append(decode + (time.process_time() - before) / 5 * 1000)
        self.servers.stop(nginx), self.servers.stop(bridge)
        self.report.add("P4", "CPU of a cached 6 MB JPEG in a chat, beyond forwarding its text", "ms", extra)
        self.report.add("P4", "CPU of one SHA-256 and one base64 decode of it", "ms", least)
        self.report.add("P4", "CPU of a cached 6 MB JPEG, over one SHA-256 and one base64 decode", "×", [a / b for a, b in zip(extra, least)], 1.3)

    def memory(self):
        for name in COMPARED:
            for edge in [0, 2048]:
                self._memory(name, edge, 60)
        self._memory("12mp-fade.webp", 0, None)
        self._memory("50mp.jpg", 2048, 200)
        self._memory_of_bridge("12mp.jpg", "json-2048")
        self._memory_of_bridge("50mp.jpg", "json-2048")

    def _memory(self, name, edge, target):
        peaks = [self._field(self._bench(name, "--runs", 1, *self._options(name, edge))[0], "peak_over_idle_kb") / 1000 for _ in range(self.rounds)]
        self.report.add("P5", f"peak memory over idle, {name} → JPEG, {'to 2,048' if edge else 'full size'}", "MB", peaks, target)

    def _memory_of_bridge(self, name, model):
        body = chat(model, False, [self.images[name].read_bytes()])
        peaks = []
        for _ in range(self.rounds):
            bridge = self.servers.bridge()
            self.loads.run(bridge, chat("json", False), 1, 4, 1)
            time.sleep(0.2)
            before = bridge.rss()
            bridge.reset_peak()
            self.loads.run(bridge, body, 1, 1, 1)
            peaks.append((bridge.peak() - before) / 1000)
            self.servers.stop(bridge)
        self.report.add("P5", f"peak memory over idle, a chat with {name}, whole bridge", "MB", peaks, 200 if name.startswith("50") else 60)
