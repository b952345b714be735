#!/bin/sh
# damage-once.sh HOME: ruins every table of HOME's state database, once, when it is Pebble's. A rollout's start command calls it to show
# what becomes of a store that is damaged after its verification.
set -eu
state=$1/data/state.db
[ ! -e "$1.damaged" ] && grep -q '^db_backend = "pebbledb"' "$1/config/config.toml" || exit 0
for table in "$state"/*.sst; do
    size=$(stat -c %s "$table")
    head -c "$size" /dev/zero >"$table"
done
: >"$1.damaged"
