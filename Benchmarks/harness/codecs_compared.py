"""Pictures: the normaliser against bare library calls in C, and against Pillow and vips."""

import re
import shutil
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
picture.convert("RGB").save(sys.argv[3], quality=85)
print(time.perf_counter() - started)
"""


class Codecs:
    def __init__(self, folder, tools, images, report, rounds, servers, loads):
        self.folder, self.tools, self.images, self.report, self.rounds = folder, tools, images, report, rounds
        self.servers, self.loads = servers, loads

    def _run(self, *command):
        started = time.perf_counter()
        output = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout
        return output, time.perf_counter() - started

    def _field(self, text, name):
        return float(re.search(name + r"=([0-9.]+)", text).group(1))

    def _options(self, name, edge):
        if edge:
            return ["--edge", edge]
        # Without a reason to touch it, a JPEG would pass through.
        return ["--max-base64", self.images[name].stat().st_size * 4 // 3 - 8] if name.endswith(".jpg") else []

    def compare(self):
        rounds = max(3, self.rounds)
        for name in ["12mp.png", "12mp.webp", "12mp.jpg"]:
            for edge in [0, 2048]:
                file, way = self.images[name], "to 2,048" if edge else "full size"
                ratios, costs, walls = [], [], []
                for _ in range(rounds):
                    base, _ = self._run(self.tools / "baseline", file, edge, 1)
                    ours, wall = self._run(self.tools / "image-bench", file, "--runs", 1, *self._options(name, edge))
                    costs.append(self._field(ours, "cpu_ms"))
                    ratios.append(costs[-1] / self._field(base, "cpu_ms"))
                    walls.append(wall)
                self.report.add("3a", f"CPU of {name} → JPEG, {way}", "ms", costs)
                self.report.add("3a", f"CPU of {name} → JPEG, {way}, over bare library calls", "×", ratios, 1.10)
                others = {"Pillow": lambda: float(self._run(
                    sys.executable, "-c", PILLOW, file, edge, self.folder / "pillow.jpg")[0])}
                if shutil.which("vips"):
                    target = f"{self.folder / 'vips.jpg'}[Q=85]"
                    command = ["vips", "thumbnail", file, target, edge] if edge else ["vips", "copy", file, target]
                    others["vips"] = lambda: self._run(*command)[1]
                for other, measure in others.items():
                    # The whole process of ours against the work alone of Pillow, and against the whole process of vips.
                    self.report.add(
                        "3a", f"wall time of {name} → JPEG, {way}, over {other}'s", "×", [wall / measure() for wall in walls[:3]], 1)

    def wire(self):
        costs = [self._field(self._run(self.tools / "image-bench", self.images["6mb.jpg"], "--wire", "--runs", 5)[0], "cpu_ms") for _ in range(5)]
        self.report.add("3b", "CPU of a 6 MB JPEG, base64 in → checked, stripped → base64 out", "ms", costs, 10)

    def memory(self):
        for name, model, target in [("12mp.png", "json", 60), ("50mp.jpg", "json-2048", 200)]:
            body = chat(model, False, [self.images[name].read_bytes()])
            peaks = []
            for _ in range(2):
                bridge = self.servers.bridge()
                self.loads.run(bridge, chat("json", False), 1, 4, 1)
                time.sleep(0.2)
                before = bridge.rss()
                bridge.reset_peak()
                self.loads.run(bridge, body, 1, 1, 1)
                # The request's own bytes are there whatever is done with the picture.
                peaks.append((bridge.peak() - before) / 1024 - len(body) / 1e6)
                self.servers.stop(bridge)
            self.report.add("3c", f"peak memory of {name} through the bridge, over idle and the request's body", "MB", peaks)
            alone = [self._field(
                self._run(self.tools / "image-bench", self.images[name], "--runs", 1, *self._options(name, 2048 if target == 200 else 0))[0],
                "peak_over_idle_kb") / 1024 for _ in range(2)]
            self.report.add("3c", f"peak memory of {name}, normaliser alone", "MB", alone, target)
