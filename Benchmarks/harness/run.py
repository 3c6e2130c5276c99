"""Runs all benchmarks and prints a table; see docs/benchmarks/README.md.

    run.py [--json] [--only NAME,…] [--rounds N] [--keep FOLDER] --folder SCRATCH --tools FOLDER --binary FILE [--venv FOLDER]
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import resource
import subprocess
import sys

from codecs_compared import Codecs
from loads import Loads
from pictures import make
from scenarios import Report, Scenarios
from servers import Servers


def machine(nginx):
    def first(path, key):
        with open(path) as file:
            for line in file:
                if line.startswith(key):
                    return line.split(":" if ":" in line else "=", 1)[1].strip().strip('"')
        return "unknown"

    def version(*command):
        with contextlib.suppress(OSError):
            lines = subprocess.run(command, capture_output=True, text=True).stdout + subprocess.run(command, capture_output=True, text=True).stderr
            return lines.strip().splitlines()[0]
        return "absent"

    return {
        "cores": os.cpu_count(),
        "cpu": first("/proc/cpuinfo", "model name"),
        "memory_gb": round(int(first("/proc/meminfo", "MemTotal").split()[0]) / 1e6, 1),
        "system": first("/etc/os-release", "PRETTY_NAME"),
        "kernel": platform.release(),
        "virtual": "hypervisor" in open("/proc/cpuinfo").read(),
        "load_before": os.getloadavg()[0],
        "nginx": version(nginx, "-v"),
        "swift": version("swift", "--version"),
        "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows):
    lines = ["| figure | what | median | least … most | target | |", "|---|---|---|---|---|---|"]
    for row in rows:
        goal, verdict = "", ""
        if row["target"] is not None:
            goal = f"{'≥' if row['at_least'] else '≤'} {row['target']}"
            verdict = "reached" if row["reached"] else "**missed**"
        unit = f" {row['unit']}" if row["unit"] else ""
        lines.append(
            f"| {row['figure']} | {row['what']} | {number(row['median'])}{unit} | {number(row['least'])} … {number(row['most'])} "
            f"| {goal} | {verdict} |")
    return "\n".join(lines)


def keep(folder, facts, rows):
    folder.mkdir(parents=True, exist_ok=True)
    name = facts["when"][:10]
    (folder / f"{name}.json").write_text(json.dumps({"machine": facts, "rows": rows}, indent=1, ensure_ascii=False) + "\n")
    description = ", ".join(
        f"{key.replace('_', ' ')} {value}" for key, value in facts.items() if key not in ["when", "virtual"])
    (folder / f"{name}.md").write_text(
        f"# Benchmarks of {name}\n\nMachine: {description}{', virtual' if facts['virtual'] else ''}.\n\n{table(rows)}\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")
    parser.add_argument("--only", default="", help="comma list of scenarios")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=pathlib.Path, help="folder for the result")
    for name in ["folder", "tools", "binary"]:
        parser.add_argument(f"--{name}", type=lambda text: pathlib.Path(text).resolve(), required=True)
    parser.add_argument("--venv", type=lambda text: pathlib.Path(text).absolute())
    arguments = parser.parse_args()
    wanted = set(filter(None, arguments.only.split(",")))
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if arguments.json:
        # Progress goes to the terminal, the result alone to standard output.
        result_stream, sys.stdout = sys.stdout, sys.stderr

    arguments.folder.mkdir(parents=True, exist_ok=True)
    images = make(arguments.folder.parent / "pictures")
    report = Report()
    servers = Servers(arguments.folder, arguments.tools, arguments.binary, arguments.venv)
    facts = machine(servers.nginx_program)
    failures = []
    try:
        scenarios = Scenarios(servers, Loads(arguments.folder, arguments.tools), images, report, arguments.rounds)
        codecs = Codecs(arguments.folder, arguments.tools, images, report, arguments.rounds, servers, scenarios.loads)
        nginx, bridge = servers.nginx(), servers.bridge()
        needs_peers = (not wanted or wanted & {"streaming", "pass_through"}) and arguments.venv
        peers = servers.peers() if needs_peers else []
        steps = {
            "streaming": lambda: scenarios.streaming(nginx, bridge, peers),
            "first_token": lambda: scenarios.first_token(nginx, bridge),
            "small_chats": lambda: scenarios.small_chats(nginx, bridge),
            "pass_through": lambda: scenarios.pass_through(nginx, bridge, peers),
            "pass_through_memory": scenarios.pass_through_memory,
            "many_streams": lambda: scenarios.many_streams(nginx),
            "idle": scenarios.idle,
            "linear": lambda: scenarios.linear(nginx, bridge),
            "history": lambda: scenarios.history(nginx, bridge),
            "pictures": codecs.all,
        }
        for name, step in steps.items():
            if wanted and name not in wanted:
                continue
            print(f"{name}:", flush=True)
            try:
                step()
            except Exception as error:  # one scenario that fails must not hide the others
                failures.append(f"{name}: {error}")
                print(f"  FAILED: {error}", flush=True)
    finally:
        servers.stop()
    rows = sorted(report.rows, key=lambda row: row["figure"])
    if arguments.json:
        sys.stdout = result_stream
        print(json.dumps({"machine": facts, "rows": rows, "failures": failures}, indent=1, ensure_ascii=False))
    else:
        print("\n" + table(rows))
    if arguments.keep and not wanted and not failures:
        keep(arguments.keep, facts, rows)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
