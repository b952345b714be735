#!/usr/bin/env bash
# bench.sh [SET [ROUNDS]]: node-migrate beside `cp -r` with sync and the plain copy loops on generated homes; prints a Markdown table.
#   SET     S (0.2 GB, the default), M (2.2 GB), K (10 million hash-keyed rows, 1.4 GB); the homes are made once, from a seed;
#           `proofs`: trees of 10 million leaves, proofs and signatures, which needs neither homes nor Go (3 GB of memory for `rs_merkle`)
#   ROUNDS  turns of every competitor (default 3)
# Needs Go and Python 3; the plain loop to RocksDB also the system's librocksdb-dev. Homes and results go to NODE_MIGRATE_BENCH, by default
# in the cache folder (see setup.sh); that folder needs room for five times the set. Compare only ratios within one run.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

set_name=${1:-S}
rounds=${2:-3}
if [ "$set_name" = proofs ]; then
    cd "$ROOT"
    exec cargo bench -q -p proofs --profile dev --bench throughput
fi
if ! have go || ! have python3; then die "the benchmark needs Go and Python 3"; fi
folder=${NODE_MIGRATE_BENCH:-$CACHE/bench}
export PROGRAMS=$CACHE/upstream
mkdir -p "$folder" "$PROGRAMS"

(cd "$ROOT/testnet/upstream/bench" && go build -buildvcs=false -trimpath -tags pebbledb -o "$PROGRAMS/bench" .)
rm -f "$PROGRAMS/bench-rocksdb"
(cd "$ROOT/testnet/upstream/bench-rocksdb" && go build -buildvcs=false -trimpath -o "$PROGRAMS/bench-rocksdb" . 2>/dev/null) || true
build_programs
export NODE_MIGRATE=$CARGO_TARGET_DIR/debug/node-migrate

chain() { "$PROGRAMS/bench" chain -home "$folder/$set_name.part" "$@"; }
if ! [ -d "$folder/$set_name" ]; then
    rm -rf "$folder/$set_name.part"
    case $set_name in
        S) chain -seed 1 -heights 20000 -vals 10 -txs 3 -val-change 500 -big-every 2000 ;;
        M) chain -seed 2 -heights 33000 -vals 50 -txs 4 -val-change 1000 -big-every 60 ;;
        K)
            chain -seed 3 -heights 50 -vals 10
            rm -rf "$folder/K.part/data/application.db"
            "$PROGRAMS/bench" kv -db "$folder/K.part/data/application.db" -n 10000000 -seed 7
            ;;
        *) die "usage: bench.sh [S|M|K [ROUNDS]]" ;;
    esac
    mv "$folder/$set_name.part" "$folder/$set_name"
fi
exec python3 "$ROOT/testnet/upstream/measure.py" "$folder" "$set_name" "$rounds" "$folder/results-$(date -u +%Y%m%dT%H%M%SZ).jsonl"
