"""Starts what is measured, and reads what the operating system says about it."""

import os
import signal
import socket
import subprocess
import time
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A process with all its descendants. CPU time is user plus system, as the kernel counts it."""

    def __init__(self, name, command, log, ready=None, environment=None, folder=None):
        self.name = name
        self.started = time.monotonic()
        self.child = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment, cwd=folder)
        self.ready_after = None
        if ready:
            self._wait(ready)

    def _wait(self, ready):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise RuntimeError(f"{self.name} ended with status {self.child.returncode}")
            if ready():
                self.ready_after = time.monotonic() - self.started
                return
            time.sleep(0.002)
        raise RuntimeError(f"{self.name} did not answer within a minute")

    def tree(self):
        """Process ids, this one first."""
        children = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                children.setdefault(int(fields[1]), []).append(int(entry))
            except (FileNotFoundError, ProcessLookupError):
                continue
        found, queue = [], [self.child.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += children.get(pid, [])
        return found

    def cpu(self):
        """Seconds of CPU used so far by the whole tree."""
        total = 0.0
        for pid in self.tree():
            try:
                # The kernel's own clock of the process (clock_getcpuclockid): user + system, in nanoseconds. /proc/PID/stat says
                # the same in hundredths of a second, which is too coarse for short runs.
                total += time.clock_gettime(~pid << 3 | 2)
            except OSError:
                continue
        return total

    def status(self, key):
        """A number of /proc/PID/status, summed over the tree; sizes are in kB."""
        total = 0
        for pid in self.tree():
            try:
                with open(f"/proc/{pid}/status") as file:
                    for line in file:
                        if line.startswith(key + ":"):
                            total += int(line.split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
        return total

    def rss(self):
        return self.status("VmRSS")

    def peak(self):
        return self.status("VmHWM")

    def reset_peak(self):
        for pid in self.tree():
            with open(f"/proc/{pid}/clear_refs", "w") as file:
                file.write("5")

    def switches(self):
        """Voluntary switches by thread: each is one time a thread went to sleep and was woken."""
        found = {}
        for pid in self.tree():
            for thread in os.listdir(f"/proc/{pid}/task"):
                try:
                    with open(f"/proc/{pid}/task/{thread}/status") as file:
                        for line in file:
                            if line.startswith("voluntary_ctxt_switches:"):
                                found[thread] = int(line.split()[1])
                except (FileNotFoundError, ProcessLookupError):
                    continue
        return found

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                for pid in self.tree():
                    os.kill(pid, signal.SIGKILL)
                self.child.wait()


def listens(port):
    def ready():
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return True
        except OSError:
            return False
    return ready


def answers(port, path):
    def ready():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1) as reply:
                return reply.status == 200
        except OSError:
            return False
    return ready
