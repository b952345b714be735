#!/usr/bin/env bash
# Moves the home of a real node from goleveldb to RocksDB and back, step by step, as an operator would. Works on a copy in a temporary
# folder; takes a build on the first run and a few seconds afterwards.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

say "building node-migrate (the first time RocksDB is compiled too, which takes about 20 minutes on two cores)"
(cd "$ROOT" && cargo build -q -p node-migrate -p testnet)
PATH=$CARGO_TARGET_DIR/debug:$PATH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
home=$(unpack-home "$ROOT/fixtures/cometbft-0.38-goleveldb.tar.zst" "$work")
cd "$work"
home=${home#"$work"/}

# step TITLE COMMAND...: shows a command, then what it says.
step() {
    printf '\n== %s\n$ %s\n' "$1" "${*:2}"
    "${@:2}"
}

# The digests of all databases, which do not depend on the engine.
digests() { node-migrate digest "$home" --json | tr -d ' \n' | grep -oE '"(dir|sha256)":"[^"]*"' | paste - - | sort; }

step "What is there" node-migrate inspect "$home"
before=$(digests)
step "What would happen" node-migrate plan "$home" --to rocksdb
step "Copy into a workspace beside the databases; the databases themselves are only read" node-migrate run "$home" --to rocksdb --execute
step "Prove the copy: counts, digests, every block's commitments, every signature" node-migrate verify "$home"
step "Exchange the databases and rewrite the configuration" node-migrate cutover "$home" --execute
step "Where are we" node-migrate status "$home"
grep -n '^db_backend' "$home/config/config.toml"
after=$(digests)
[ "$before" = "$after" ] || { say "FAILED: the digests after the migration are not those before"; exit 1; }
step "The receipt, signed" node-migrate receipt "$home"
step "Go back: the old databases are still there" node-migrate rollback "$home" --execute
grep -n '^db_backend' "$home/config/config.toml"
[ "$before" = "$(digests)" ] || { say "FAILED: the digests after the rollback are not those before"; exit 1; }
step "All of it is in the journal" node-migrate journal "$home"

printf '\nok: %s databases have the same digest before, after the migration to RocksDB, and after the rollback:\n%s\n' "$(wc -l <<<"$before")" "$before"
