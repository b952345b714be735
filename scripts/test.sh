#!/usr/bin/env bash
# Everything that must pass. The first run compiles RocksDB (about 20 minutes on two cores); later runs take minutes.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
cd "$ROOT"

stage() { printf '\n==== %s (%s s so far)\n' "$1" "$SECONDS"; }
skipped=()
skip() { skipped+=("$1"); printf '!!!! SKIPPED: %s\n' "$1"; }

stage "scripts"
bash -n scripts/*.sh .ci/run
if have gofmt; then [ -z "$(gofmt -l testnet/upstream)" ] || die "gofmt: $(gofmt -l testnet/upstream)"; fi
if have shellcheck; then shellcheck -x scripts/*.sh .ci/run; else skip "shellcheck is not there"; fi

stage "format"
cargo fmt --all --check
(cd testnet/light-client && cargo fmt --check)

stage "lints"
cargo clippy -q --workspace --all-targets -- -D warnings
# The readers and the proofs must build without a C++ compiler.
cargo clippy -q -p ledger-formats -p proofs -p proto --no-default-features -- -D warnings

stage "tests"
cargo test -q --workspace
# A workspace of its own: see its manifest.
(cd testnet/light-client && cargo test -q --locked)
(cd proto/generator && cargo test -q --locked)

stage "documentation"
RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc -q --workspace --no-deps --document-private-items

stage "licences and advisories"
if cargo deny --version >/dev/null 2>&1; then cargo deny check licenses bans sources; else skip "cargo-deny is not there"; fi

stage "every shipped home to every engine and back"
bash scripts/all-homes.sh

stage "real engines and real nodes"
if have go && have python3; then bash scripts/real-nodes.sh smoke; else skip "real engines and real nodes: Go and Python 3 are needed"; fi

stage "a staged rollout over seven validators of our own"
bash scripts/testnet.sh

stage "a staged rollout over real validators; beside it, the playbooks for fleets"
# Both wait for blocks most of the time. What the second one says follows when it has ended, which it does in any case.
log=$(mktemp)
bash scripts/ansible.sh >"$log" 2>&1 &
code=0
if have go && have python3; then bash scripts/testnet.sh real || code=$?; else skip "a staged rollout over real validators: Go and Python 3 are needed"; fi
wait $! || code=$?
cat "$log"
rm -f "$log"
[ "$code" = 0 ] || exit "$code"

stage "a checkpoint, reproduced in four ways"
bash scripts/reproduce.sh

stage "done"
for each in ${skipped[@]+"${skipped[@]}"}; do printf '!!!! SKIPPED: %s\n' "$each"; done
say "all that ran passed"
