"""Request bodies, and one run of the load generator."""

import base64
import json
import statistics
import subprocess

SENTENCE = "Tell me a short story about a lighthouse keeper and the ship that never came."


def chat(model, stream, pictures=(), turns=1):
    """A chat in the shape that Ollama's and OpenAI's API share; pictures where Ollama has them."""
    messages = []
    for turn in range(turns):
        message = {"role": "user", "content": SENTENCE}
        shown = pictures[turn * len(pictures) // turns:(turn + 1) * len(pictures) // turns]
        if shown:
            message["images"] = [base64.b64encode(picture).decode() for picture in shown]
        messages.append(message)
        if turn < turns - 1:
            messages.append({"role": "assistant", "content": "Once upon a time the lamp went out. " * 8})
    return json.dumps({"model": model, "stream": stream, "messages": messages}).encode()


class Loads:
    def __init__(self, folder, tools):
        self.folder, self.tools = folder, tools

    def run(self, server, body, connections=1, requests=1, markers=None, ramp=0, cpu_of=None):
        """Sends requests to a server. The answer has the server's CPU seconds under "cpu"."""
        file = self.folder / "body.json"
        file.write_bytes(body)
        command = [
            self.tools / "load", "--port", server.port, "--path", server.path, "--body", file, "--connections", connections,
            "--requests", requests, "--ramp-ms", ramp]
        if markers is not None:
            command += ["--markers", markers]
        before = server.cpu()
        output = subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=180).stdout
        after = server.cpu()
        result = json.loads(output)
        result["cpu"] = after - before
        if result["bad"]:
            raise RuntimeError(f"{server.name}: {result['bad']} of {requests} failed: {result['failure']}")
        return result


def spread(values):
    """Median, least and most."""
    values = sorted(values)
    return {"median": statistics.median(values), "least": values[0], "most": values[-1], "runs": len(values)}
