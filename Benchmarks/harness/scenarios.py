"""What is measured. Every scenario alternates between the servers it compares, and ratios are taken within one round."""

import time
import urllib.request

import pictures
from loads import chat, spread


def busy_and_all():
    """Ticks that all cores were busy, and all ticks."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


class Report:
    def __init__(self):
        self.rows = []

    def add(self, figure, what, unit, values, target=None, at_least=False, note=""):
        """values: one number a round. target: the most (or with at_least, the least) that the median may be."""
        row = {"figure": figure, "what": what, "unit": unit, **spread(values), "target": target, "at_least": at_least, "note": note}
        if target is not None:
            row["reached"] = row["median"] >= target if at_least else row["median"] <= target
        self.rows.append(row)
        mark = "" if target is None else ("   ok" if row["reached"] else "   MISSED")
        goal = "" if target is None else f"   ({'≥' if at_least else '≤'} {target})"
        print(f"  {figure:>3}  {what}: {row['median']:.3g} {unit}  [{row['least']:.3g} … {row['most']:.3g}]{goal}{mark}", flush=True)


class Scenarios:
    def __init__(self, servers, loads, images, report, rounds):
        self.servers, self.loads, self.images, self.report, self.rounds = servers, loads, images, report, rounds
        self.variants = 0

    def cpu_per_event(self, server, model, connections, requests, chunks, ramp=0):
        body = chat(server.model.format(model), True)
        result = self.loads.run(server, body, connections, requests, chunks, ramp)
        return result["cpu"] / result["events"] * 1e6

    def alternate(self, names, measure, rounds=None):
        """{name: [a value a round]}"""
        values = {server.name: [] for server in names}
        for _ in range(rounds or self.rounds):
            for server in names:
                values[server.name].append(measure(server))
        return values

    def ratios(self, values, one="bridge", other="nginx"):
        return [a / b for a, b in zip(values[one], values[other])]

    # 1 and 8, streams
    def streaming(self, nginx, bridge, peers):
        for server in [nginx, bridge]:
            self.cpu_per_event(server, "c200p0", 16, 64, 200)
        mine = {}
        paces = [("c200p1000", "1 ms apart"), ("c200p0", "as fast as they come")]
        for (model, words), requests in zip(paces, [96, 640]):
            values = self.alternate([nginx, bridge], lambda server: self.cpu_per_event(server, model, 16, requests, 200))
            for server in [nginx, bridge]:
                self.report.add("1", f"CPU per event, 16 streams of 200, {words}, {server.name}", "µs", values[server.name])
            self.report.add("1", f"CPU per event over nginx's, {words}", "×", self.ratios(values), 2.0)
            mine[model] = spread(values["bridge"])["median"]
        for peer in peers:
            self.cpu_per_event(peer, "c200p1000", 4, 4, 200)
            for model, words in paces:
                theirs = self.alternate([peer], lambda server: self.cpu_per_event(server, model, 16, 16, 200), 3)[peer.name]
                self.report.add("8", f"CPU per event, {words}, {peer.name}", "µs", theirs)
                self.report.add(
                    "8", f"CPU per event, {words}, {peer.name} over the bridge", "×", [value / mine[model] for value in theirs], 8, at_least=True)

    # 2
    def first_token(self, nginx, bridge):
        relay = self.servers.relay()
        for connections, requests in [(16, 64), (200, 600)]:
            p50, p99 = {}, {}

            def measure(server):
                body = chat(server.model.format("c40p20000"), True)
                result = self.loads.run(server, body, connections, requests, 40, 800)
                p50.setdefault(server.name, []).append(result["first_us"]["p50"])
                p99.setdefault(server.name, []).append(result["first_us"]["p99"])

            self.alternate([nginx, bridge, relay], measure)
            for server in [nginx, bridge]:
                self.report.add("2", f"time to first token, {connections} streams, p50, {server.name}", "µs", p50[server.name])
                self.report.add("2", f"time to first token, {connections} streams, p99, {server.name}", "µs", p99[server.name])
            self.report.add("2", f"time to first token over nginx's, {connections} streams, p50", "×", self.ratios(p50), 1.3)
            self.report.add("2", f"time to first token over nginx's, {connections} streams, p99", "×", self.ratios(p99), 2)
            self.report.add(
                "2", f"time to first token over nginx's, {connections} streams, p50, libcurl alone", "×", self.ratios(p50, "relay"))
        self.servers.stop(relay)

    # 3
    def small_chats(self, nginx, bridge):
        def measure(server):
            result = self.loads.run(server, chat(server.model.format("json"), False), 16, 6000, 1)
            return result["good"] / result["cpu"]

        relay = self.servers.relay()
        measure(nginx), measure(bridge), measure(relay)
        values = self.alternate([nginx, bridge, relay], measure)
        self.servers.stop(relay)
        for server in [nginx, bridge]:
            self.report.add("3", f"small chats per CPU second, {server.name}", "/s", values[server.name])
        self.report.add("3", "small chats per CPU second over nginx's", "×", self.ratios(values), 0.4, at_least=True)
        self.report.add("3", "small chats per CPU second over nginx's, libcurl alone", "×", self.ratios(values, "relay"))

    def next_variant(self, make=pictures.variant):
        self.variants += 1
        return make(self.images["6mb.jpg"].read_bytes(), self.variants)

    # 4 and 8, pictures
    def pass_through(self, nginx, bridge, peers):
        def measure(server, count=3, make=pictures.variant):
            cpu = 0
            for _ in range(count):
                cpu += self.loads.run(server, chat(server.model.format("json"), False, [self.next_variant(make)]), 1, 1, 1)["cpu"]
            return cpu / count * 1000

        # Until every thread has memory of its own to use again: on a virtual machine a page that the host has taken back costs as much as the work on it.
        self.alternate([nginx, bridge], measure, 4)
        values = self.alternate([nginx, bridge], measure)
        for server in [nginx, bridge]:
            self.report.add("4", f"CPU of a chat with a 6 MB JPEG, {server.name}", "ms", values[server.name])
        self.report.add("4", "CPU of a chat with a 6 MB JPEG over nginx's", "×", self.ratios(values), 4)
        dressed = self.alternate([nginx, bridge], lambda server: measure(server, 3, pictures.commented))
        self.report.add("4", "CPU of a chat with a 6 MB JPEG, a comment to cut out, bridge", "ms", dressed["bridge"])
        self.report.add("4", "CPU of a chat with a 6 MB JPEG, a comment to cut out, over nginx's", "×", self.ratios(dressed), 4)
        self.first_after_pause(bridge, measure)
        mine = spread(values["bridge"])["median"]
        for peer in peers:
            measure(peer, 1)
            theirs = [measure(peer, 2) for _ in range(3)]
            self.report.add("8", f"CPU of a chat with a 6 MB JPEG, {peer.name}", "ms", theirs)
            self.report.add(
                "8", f"CPU of a chat with a 6 MB JPEG, {peer.name} over the bridge", "×", [value / mine for value in theirs], 4, at_least=True)

    def first_after_pause(self, bridge, measure):
        """What was kept has been given back by then."""
        values = []
        for _ in range(3):
            time.sleep(4)
            values.append(measure(bridge, 1))
        self.report.add("4", "CPU of the first chat with a 6 MB JPEG after a pause, bridge", "ms", values)

    def pass_through_memory(self):
        body = chat("json", False, [self.next_variant()])
        values = []
        for _ in range(3):
            fresh = self.servers.bridge()
            self.loads.run(fresh, chat("json", False), 1, 20, 1)
            time.sleep(0.3)
            before = fresh.rss()
            fresh.reset_peak()
            self.loads.run(fresh, body, 1, 1, 1)
            values.append((fresh.peak() - before) * 1024 / len(body))
            self.servers.stop(fresh)
        self.report.add("4", "peak memory of a chat with a 6 MB JPEG over its body", "×", values, 3)

    # 5
    def many_streams(self, nginx):
        failed, memory, delay, floor, bare, saturation, busy = [], [], [], [], [], [], []
        for _ in range(3):
            bridge = self.servers.bridge()
            self.loads.run(bridge, chat("c40p50000", True), 16, 64, 40)
            idle = bridge.rss()
            bridge.reset_peak()
            result, share = self.run_watched(bridge, 2000, 3000)
            busy.append(share)
            memory.append((bridge.peak() - idle) / 2000)
            delay.append(result["delay_us"]["p99"] / 1000)
            failed.append(result["bad"])
            saturation.append(result["cpu"] / result["seconds"] * 100)
            self.servers.stop(bridge)
            floor.append(self.run_watched(nginx, 2000, 3000)[0]["delay_us"]["p99"] / 1000)
            bare.append(self.run_watched(self.servers.direct(), 2000, 3000)[0]["delay_us"]["p99"] / 1000)
        self.report.add("5", "failed of 2,000 streams paced at 50 ms", "", failed, 0)
        self.report.add("5", "memory a stream over idle, 2,000 streams", "kB", memory, 40)
        self.report.add("5", "p99 delay of a chunk, 2,000 streams, no proxy", "ms", bare)
        self.report.add("5", "p99 delay of a chunk, 2,000 streams, nginx", "ms", floor)
        self.report.add("5", "p99 delay of a chunk, 2,000 streams, bridge", "ms", delay, 10)
        self.report.add("5", "CPU in use, 2,000 streams, bridge (100 = one core)", "%", saturation)
        self.report.add("5", "CPU of the whole machine in use, 2,000 streams, bridge", "%", busy)
        self.fewer_streams(nginx)

    def run_watched(self, server, streams, ramp):
        """What the load generator says, and the share of all cores that was busy, in percent."""
        before = busy_and_all()
        result = self.loads.run(server, chat("c100p50000", True), streams, streams, 100, ramp)
        after = busy_and_all()
        return result, (after[0] - before[0]) / (after[1] - before[1]) * 100

    def fewer_streams(self, nginx):
        """As many as leave the machine, with load generator and stub on it, some CPU to spare."""
        delay, floor, busy = [], [], []
        for _ in range(3):
            bridge = self.servers.bridge()
            result, share = self.run_watched(bridge, 500, 1500)
            delay.append(result["delay_us"]["p99"] / 1000)
            busy.append(share)
            self.servers.stop(bridge)
            floor.append(self.loads.run(nginx, chat("c100p50000", True), 500, 500, 100, 1500)["delay_us"]["p99"] / 1000)
        self.report.add("5", "p99 delay of a chunk, 500 streams, nginx", "ms", floor)
        self.report.add("5", "p99 delay of a chunk, 500 streams, bridge", "ms", delay, 10)
        self.report.add("5", "CPU of the whole machine in use, 500 streams, bridge", "%", busy)

    # 6
    def idle(self):
        memory, wakes, starts = [], [], []
        for _ in range(5):
            fresh = self.servers.bridge()
            address = f"http://127.0.0.1:{fresh.port}/api/version"
            urllib.request.urlopen(address, timeout=5).read()
            starts.append((time.monotonic() - fresh.started) * 1000)
            if len(memory) < 2:
                time.sleep(1)
                before = fresh.switches()
                time.sleep(4)
                # Threads that ended meanwhile are left out, new ones count from their start.
                wakes.append(sum(count - before.get(thread, 0) for thread, count in fresh.switches().items()) / 4)
                memory.append(fresh.rss() / 1024)
            self.servers.stop(fresh)
        self.report.add("6", "resident memory, idle", "MB", memory, 40)
        self.report.add("6", "wake-ups a second, idle", "/s", wakes, 2)
        self.report.add("6", "start to first answer", "ms", starts, 200)

    # 7
    def linear(self, nginx, bridge):
        costs = {"nginx": [], "bridge": []}
        for model, connections, requests, chunks in [
                ("c200p1000", 1, 12, 200), ("c200p2000", 16, 96, 200), ("c200p20000", 200, 200, 200), ("c100p100000", 1000, 1000, 100)]:
            values = self.alternate(
                [nginx, bridge], lambda server: self.cpu_per_event(server, model, connections, requests, chunks, 0), 2)
            for server in [nginx, bridge]:
                costs[server.name].append(spread(values[server.name])["median"])
                self.report.add("7", f"CPU per event, {connections} streams, {server.name}", "µs", values[server.name])
        for name, target in [("nginx", None), ("bridge", 1.5)]:
            self.report.add("7", f"dearest over cheapest of 1, 16, 200, 1,000 streams, {name}", "×", [max(costs[name]) / min(costs[name])], target)

    def history(self, nginx, bridge):
        jpeg = self.images["small.jpg"].read_bytes()
        body = chat("json", False, [pictures.variant(jpeg, number) for number in range(20)], 50)

        def measure(server):
            return self.loads.run(server, body, 1, 8, 1)["cpu"] / 8 * 1000

        self.alternate([nginx, bridge], measure, 2)
        values = self.alternate([nginx, bridge], measure)
        for server in [nginx, bridge]:
            self.report.add("7", f"CPU of 50 turns with 20 cached pictures ({len(body) / 1e6:.1f} MB), {server.name}", "ms", values[server.name])
        self.report.add("7", "CPU of 50 turns with 20 cached pictures over nginx's", "×", self.ratios(values), 3)
