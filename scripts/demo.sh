#!/usr/bin/env bash
# Moves the home of a real node from goleveldb to RocksDB and back, step by step, as an operator would. Works on a copy in a temporary
# folder; takes a build on the first run and a few seconds afterwards.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

say "building node-migrate (the first time RocksDB is compiled too, which takes about 20 minutes on two cores)"
build_programs
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

# The digests of all databases, which do not depend on the engine: name and SHA-256.
digests() { node-migrate digest "$home" | awk 'NR > 1 { print $1, $NF }'; }

# same WHEN: the digests must be those from before.
same() {
    local now
    now=$(digests)
    [ "$now" = "$before" ] || die "the digests $1 are not those before: $now"
}

step "What is there" node-migrate inspect "$home"
before=$(digests)
step "What would happen" node-migrate plan "$home" --to rocksdb
step "Copy into a workspace beside the databases; the databases themselves are only read" node-migrate run "$home" --to rocksdb --execute
step "Prove the copy: counts, digests, every block's commitments, every signature" node-migrate verify "$home"
step "Exchange the databases and rewrite the configuration" node-migrate cutover "$home" --execute
step "Where are we" node-migrate status "$home"
grep -n '^db_backend = "rocksdb"' "$home/config/config.toml"
same "after the migration"
step "The receipt, signed" node-migrate receipt "$home"
step "Go back: the old databases are still there" node-migrate rollback "$home" --execute
grep -n '^db_backend = "goleveldb"' "$home/config/config.toml"
same "after the rollback"
step "All of it is in the journal" node-migrate journal "$home" | cut -c 1-150

printf '\nok: %s databases have the same digest before, after the migration to RocksDB, and after the rollback:\n%s\n' "$(wc -l <<<"$before")" "$before"
