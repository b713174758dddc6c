# The two commands of the README, and what they are made of.

.PHONY: demo test prove lint fix bench setup-demo setup-test setup-lint

# Everything the product does, live, on four MariaDB servers: `make demo ARGS='--once --json'`, or on
# MySQL: `make demo ARGS='--flavor mysql'`.
# Nothing else is printed on standard output, so that `--json` can be read by a program.
demo: setup-demo
	@cargo build --release --bins
	@target/release/mysqlsvc demo $(ARGS)

# Everything, on real servers of both flavours.
test: setup-test
	cargo build --workspace --bins
	cargo nextest run --workspace --all-features
	cargo test --workspace --doc

# Every state that engine and model cluster can get into, within the full bound: many minutes. The
# small bound is one of the tests. `make prove ARGS=mutual` runs the lines with that word.
prove: setup-lint
	cargo run --release -p mysqlsvc-proof -- $(ARGS)

# Never writes; `make fix` does.
lint: setup-lint
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --all-features --quiet

fix: setup-lint
	cargo fmt --all
	cargo clippy --workspace --all-targets --all-features --fix --allow-dirty

# Our critical section beside the floor of bare SQL, both flavours, one run.
bench: setup-test
	cargo build --release --bins
	cargo bench -p mysqlsvc-benches

setup-demo:
	@scripts/setup.sh $(if $(findstring mysql,$(ARGS)),demo-mysql,demo)

setup-test:
	@scripts/setup.sh test

setup-lint:
	@scripts/setup.sh lint
