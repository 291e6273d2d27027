# The desk commands. `make check` is what CI runs.
CARGO ?= cargo
CARGO_DENY_VERSION := 0.20.2
CARGO_FUZZ_VERSION := 0.13.2
FUZZ_SECONDS ?= 600
TOOLS := target/tools
ARCH ?= $(if $(filter aarch64,$(shell uname -m)),arm64,amd64)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
IMAGE ?= ghcr.io/bedrock-profiles/bedrock-profiles:$(VERSION)
export RUSTDOCFLAGS := -D warnings

.PHONY: help run check format lint licences docs test bench measure weigh plane fuzz node playground image

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: ## serve the webhook on the built-in catalog
	$(CARGO) run --quiet -- serve --standalone --ca-file target/ca.crt

check: ## everything: format, lints, licences, docs, tests
	@$(MAKE) --no-print-directory tools-named format lint licences docs test
	@echo "== all checks passed"

.PHONY: tools-named
tools-named:
	@for tool in go:golang unshare:util-linux ip:iproute2 nsenter:util-linux kill:procps; do \
	  command -v $${tool%%:*} >/dev/null || { echo "missing: $${tool%%:*}; install it, on Debian: apt-get install $${tool##*:}" >&2; exit 1; }; \
	done

format: ## is every file formatted?
	@echo "== format"
	$(CARGO) fmt --all --check

lint: ## clippy, warnings are errors
	@echo "== lint"
	$(CARGO) clippy --all-targets --locked -- -D warnings

licences: $(TOOLS)/bin/cargo-deny ## licences, bans and sources of dependencies
	@echo "== licences and bans"
	$(TOOLS)/bin/cargo-deny --log-level error check licenses bans sources

$(TOOLS)/bin/cargo-deny:
	@echo "== installing cargo-deny, once (three minutes)"
	$(CARGO) install --locked --quiet cargo-deny --version $(CARGO_DENY_VERSION) --root $(TOOLS)

docs: ## the API documentation, warnings are errors
	@echo "== docs"
	$(CARGO) doc --no-deps --locked --document-private-items

test: ## every test; the first time it builds a Kubernetes control plane (six minutes)
	@echo "== test"
	$(CARGO) test --locked

bench: ## CPU per review beside a server that answers a constant
	$(CARGO) bench --bench reviews

measure: ## memory of a replica, and how soon a change is in force, on a real control plane
	$(CARGO) test --release --test cluster -- measure

weigh: ## time and memory of an audit of 10,000 ConfigMaps of 100 KiB and 5,000 Pods, on a control plane of its own; minutes
	$(CARGO) test --release --test cluster -- weigh-audit

plane: ## hold a control plane open for `cargo test --test cluster NAME`
	$(CARGO) test --test cluster -- hold

node: image ## the trials on a real node, with the image and the chart: needs root, Go 1.26 and the packages that it names
	$(CARGO) test --test cluster -- node

playground: image ## hold a real node open, with the chart installed and three workloads: needs what `make node` needs
	$(CARGO) test --test cluster -- playground

image: ## the image of this machine's architecture (ARCH=arm64 for another) into target/image/, without a daemon or a registry
	@command -v buildah >/dev/null || { echo "missing: buildah; install it, on Debian: apt-get install buildah" >&2; exit 1; }
	image/binary $(ARCH) target/image/$(ARCH)/bedrock-profiles
	image/pack $(ARCH) $(VERSION) $(IMAGE)

fuzz: $(TOOLS)/bin/cargo-fuzz ## every fuzz target for FUZZ_SECONDS (600) each; needs a nightly compiler: rustup toolchain install nightly
	@mkdir -p target/fuzz
	@for target in $$(ls fuzz/targets | sed 's/\.rs$$//'); do \
		echo "== fuzzing $$target for $(FUZZ_SECONDS) s"; \
		mkdir -p target/fuzz/$$target && \
		PATH="$(abspath $(TOOLS))/bin:$$PATH" cargo +nightly fuzz run $$target target/fuzz/$$target fuzz/seeds/$$target \
			-- -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 || exit 1; \
	done

$(TOOLS)/bin/cargo-fuzz:
	@echo "== installing cargo-fuzz, once"
	$(CARGO) install --locked --quiet cargo-fuzz --version $(CARGO_FUZZ_VERSION) --root $(TOOLS)
