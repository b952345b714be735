#!/usr/bin/env bash
# all-homes.sh [FOLDER [NAME...]]: every packed home in FOLDER (default: the shipped fixtures) goes to RocksDB, Pebble, LevelDB and sled and
# back. After each step the digest of each database must be the oracle's, and in the other engine the store roots must be what they were.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

build_programs
folder=${1:-$ROOT/fixtures}
exec "$CARGO_TARGET_DIR/debug/all-homes" "$CARGO_TARGET_DIR/debug/node-migrate" "$folder" "${@:2}"
