# Every target sets up what it needs and says what it installs. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help run build test clients check bench sanitize fuzz schemathesis clean

# Arguments for `ollama-bridge serve`, for instance: make run ARGS="--port 8080 --models my-models.json"
ARGS ?=
# Arguments for pytest, for instance: make clients PYTEST="-k picture -x"
PYTEST ?=
# What `make fuzz` runs: one entry by name, or all of Fuzz/; and for how many seconds each.
NAME ?= all
SECONDS ?= 60

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 14

run: ## build for release and serve; ARGS="…" goes to `ollama-bridge serve`
	@Scripts/run $(ARGS)

build: ## debug build of everything, tests included
	@Scripts/setup-system && Scripts/require-swift && swift build --build-tests

test: ## every test: the Swift ones, then real clients against the binary
	@Scripts/test $(PYTEST)

clients: ## only the real clients, against the debug binary
	@Scripts/test --clients-only $(PYTEST)

check: ## formatting, warnings as errors, imports that follow the arrows
	@Scripts/check

bench: ## the benchmarks, against nginx and other proxies; ARGS="--json --only streaming --keep"
	@Scripts/bench $(ARGS)

sanitize: ## the Swift tests under AddressSanitizer, then ThreadSanitizer
	@Scripts/sanitize

fuzz: ## run the entries of Fuzz/; NAME=entry SECONDS=120
	@Scripts/fuzz $(NAME) $(SECONDS)

schemathesis: ## generated requests against the running binary; ARGS="cases per operation"
	@Scripts/schemathesis $(ARGS)

clean: ## remove everything that was built or installed inside this folder
	rm -rf .build .build-* .venv
