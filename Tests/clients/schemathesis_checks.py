"""What schemathesis holds each answer to. Loaded by it through SCHEMATHESIS_HOOKS."""

import json

import schemathesis

# Answers of 5xx that say what is so, in Ollama's own words: no fault.
TRUTHFUL = (
    "pull model manifest: file does not exist",
    "is not supported by this server",
    "account unavailable",
)


@schemathesis.check
def no_fault_of_ours(ctx, response, case):
    """No 5xx, and every failure is JSON with an `error` that is text."""
    if response.status_code < 400:
        return
    kind = (response.headers.get("content-type") or [""])[0]
    if response.status_code in (403, 404, 405) and not kind.startswith("application/json"):
        # Unknown paths and methods are plain text, foreign hosts are empty, as in Ollama.
        return
    error = json.loads(response.content).get("error")
    assert isinstance(error, str) and error, f"{response.status_code} without a reason: {response.content[:200]}"
    assert response.status_code < 500 or any(words in error for words in TRUTHFUL), f"{response.status_code}: {error}"
