#!/usr/bin/env bash
# real-nodes.sh [smoke|all]: the real engines and the real nodes judge what node-migrate writes. Needs Go and Python 3.
#   smoke  our goleveldb and Pebble folders under the real engines; a real node on migrated homes; every block of a larger migrated home
#          checked by upstream's own code; a cut-over cut short, with a node started in the middle; four validators migrated as a whole;
#          empty nodes that sync from the shim alone; a broken home repaired from a real node; two transports joined by
#          the tunnel; every home of 1.0 served by 0.38 and 0.40 after its conversion; four validators that go to 0.38 and back
#   all    the same for all releases from 0.34 to 1.0, every shipped home, and RocksDB where the system has its library (librocksdb-dev)
# Upstream's programs are built once from the Go module proxy into the cache folder (see setup.sh).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
. "$ROOT/scripts/upstream.sh"

mode=${1:-smoke}
case $mode in smoke | all) ;; *) die "usage: real-nodes.sh [smoke|all]" ;; esac
if ! have go || ! have python3; then say "SKIPPED: real engines and real nodes: Go and Python 3 are needed"; exit 0; fi

fixtures=$ROOT/fixtures

have_rocksdb() { [ -e /usr/include/rocksdb/c.h ] && printf '#include <rocksdb/c.h>\n' | "${CC:-cc}" -E - >/dev/null 2>&1; }

build engine-check engine-check . pebbledb
build bench bench . pebbledb
for release in 0.38 0.39 0.40 1.0; do build_node "$release"; done
build_programs
node_migrate=$CARGO_TARGET_DIR/debug/node-migrate

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

# fresh NAME: a fresh copy of a shipped home, whose path is left in $home.
fresh() {
    count=$((count + 1))
    home=$("$CARGO_TARGET_DIR/debug/unpack-home" "$fixtures/$1.tar.zst" "$work/$count")
}

# engines NAME TARGET: the real engines on a migrated home.
engines() {
    fresh "$1"
    python3 "$upstream/engines.py" "$programs/engine-check" "$node_migrate" "$home" "$2"
}

# migrate ARGUMENT...: node-migrate, with its words only when it fails.
migrate() { "$node_migrate" "$@" --execute >"$work/log" 2>&1 || { cat "$work/log"; die "node-migrate $* failed"; }; }

# served NAME RELEASE TARGET...: a real node on a home that went from target to target.
served() {
    local target
    fresh "$1"
    for target in "${@:3}"; do
        migrate migrate "$home" --to "$target"
        migrate finalise "$home"
    done
    python3 "$upstream/serve.py" "$programs/cometbft-$2" "$home" "$fixtures/$1.oracle.json"
}

guarded() {
    fresh "$1"
    python3 "$upstream/guard.py" "$programs/cometbft-$2" "$node_migrate" "$home" "$fixtures/$1.oracle.json" "$3"
}

# network RELEASE TARGET: four validators, migrated as a whole.
network() {
    count=$((count + 1))
    python3 "$upstream/network.py" "$programs/cometbft-$1" "$work/$count" "$node_migrate" "$2"
}

# converted NAME RELEASE OTHER...: a home of a release, converted for others, must be served by their nodes as by its own.
converted() {
    fresh "$1"
    python3 "$upstream/converted.py" "$node_migrate" "$programs" "$home" "$fixtures/$1.oracle.json" "${@:2}"
}

# repaired NAME RELEASE: a mislabelled home, which its node does not open, is served after its repair.
repaired() {
    fresh "$1"
    migrate repair "$home"
    python3 "$upstream/serve.py" "$programs/cometbft-$2" "$home" "$fixtures/$1.oracle.json"
}

# there_and_back RELEASE OTHER: four validators that are converted for another release, make blocks, and are converted back.
there_and_back() {
    count=$((count + 1))
    python3 "$upstream/releases.py" "$programs" "$work/$count" "$node_migrate" "$1" "$2"
}

# checkpoints RELEASE: checkpoints of running nodes, of their RPC and of their migrated stores.
checkpoints() {
    count=$((count + 1))
    python3 "$upstream/checkpoints.py" "$programs/cometbft-$1" "$work/$count" "$node_migrate" "$CARGO_TARGET_DIR/debug/ledger-proof"
}

# synced NAME RELEASE WAY TARGET: an empty node gets every block of a home that went to the target from the shim alone.
synced() {
    fresh "$1"
    migrate migrate "$home" --to "$4"
    python3 "$upstream/shim.py" synced "$3" "$programs/cometbft-$2" "$home" "$fixtures/$1.oracle.json" "$node_migrate"
}

# fetched NAME RELEASE WAY: a home with a broken table is repaired with the blocks of a real node.
fetched() {
    fresh "$1"
    python3 "$upstream/fetch.py" "$3" "$programs/cometbft-$2" "$home" "$node_migrate"
}

# followed RELEASE WAY: an empty node syncs from the shim beside a running validator, and follows.
followed() {
    count=$((count + 1))
    python3 "$upstream/shim.py" followed "$2" "$programs/cometbft-$1" "$work/$count" "$node_migrate"
}

# tunnelled: two validators of 0.38 and two of 0.39 on libp2p, one network only by `node-migrate shim tunnel`.
tunnelled() {
    count=$((count + 1))
    python3 "$upstream/tunnel.py" "$programs/cometbft-0.38" "$programs/cometbft-0.39" "$work/$count" "$node_migrate"
}

# every_block TARGET HEIGHTS [VIA]: a generated home, of goleveldb or of VIA, with tables on several levels, checked block by block by upstream's own code.
every_block() {
    local generated=$work/generated-$1
    "$programs/bench" chain -home "$generated" -seed 5 -heights "$2" -vals 10 -txs 3 -val-change 100 -big-every 50 >/dev/null
    if [ $# -gt 2 ]; then
        migrate migrate "$generated" --to "$3"
        migrate finalise "$generated"
    fi
    python3 "$upstream/engines.py" "$programs/engine-check" "$node_migrate" "$generated" "$1"
    "$programs/bench" check -home "$generated" -engine "$1"
    rm -rf "$generated"
}

# simulated SEED: the homes of simulated validators after a rollout, block by block by upstream's own executor.
simulated() {
    local folder=$work/simulated-$1 node
    "$CARGO_TARGET_DIR/debug/testnet" sim --seeds "$1" --real-signatures --rollout --write-homes "$folder"
    for node in "$folder"/*; do
        migrate migrate "$node" --to goleveldb
        "$programs/bench" replay -home "$node"
    done
}

say "== real engines"
engines cometbft-0.38-goleveldb pebbledb
engines cometbft-0.38-goleveldb-onelog "pebbledb,format=13"
engines cometbft-0.38-pebble goleveldb
say "== every block by upstream's own code"
every_block pebbledb 3000
simulated 7
say "== real nodes"
served cometbft-0.38-goleveldb 0.38 pebbledb
served cometbft-0.38-pebble 0.38 goleveldb
say "== a cut-over cut short"
guarded cometbft-0.38-goleveldb-onelog 0.38 pebbledb
say "== four validators"
network 0.38 pebbledb
say "== checkpoints of running nodes"
checkpoints 0.38
say "== empty nodes with nobody but the shim"
synced cometbft-0.38-goleveldb 0.38 classic pebbledb
synced cometbft-0.40-goleveldb 0.40 libp2p pebbledb
followed 0.38 classic
say "== a broken home and a real node that has its blocks"
fetched cometbft-0.38-goleveldb 0.38 classic
fetched cometbft-0.40-goleveldb 0.40 libp2p
say "== two transports joined by the tunnel"
tunnelled
say "== converted homes under another release"
for tarball in "$fixtures"/cometbft-1.0-*.tar.zst; do
    name=$(basename "$tarball" .tar.zst)
    case $name in *-mislabelled) ;; *) converted "$name" 1.0 0.38 0.40 ;; esac
done
say "== four validators to another release and back"
there_and_back 1.0 0.38

if [ "$mode" = smoke ]; then say "ok: real engines and real nodes, the small set"; exit; fi

for release in 0.34 0.37; do build_node "$release"; done
if have_rocksdb; then
    CGO_LDFLAGS=-lrocksdb build cometbft-0.38-rocksdb node/v0.38-rocksdb github.com/cometbft/cometbft/cmd/cometbft "pebbledb rocksdb grocksdb_no_link"
else
    say "SKIPPED: RocksDB nodes: the system has no RocksDB headers (librocksdb-dev)"
fi

say "== every shipped home under its own release"
for tarball in "$fixtures"/cometbft-*.tar.zst; do
    name=$(basename "$tarball" .tar.zst)
    case $name in
        *-halted | *-mislabelled) continue ;; # their nodes exit at the start, migrated or not
        *-0.37-to-0.38-*) release=0.38 ;;
        *) release=${name#cometbft-} release=${release%%-*} ;;
    esac
    # Nodes before 0.38 know no Pebble: their homes come back.
    case $release in 0.34 | 0.37) served "$name" "$release" pebbledb goleveldb ;; *) served "$name" "$release" pebbledb ;; esac
    case $name in *-pebble | *-rocksdb) served "$name" "$release" goleveldb ;; esac
    if [ "$release" = 0.38 ] && have_rocksdb; then served "$name" 0.38-rocksdb rocksdb; fi
done
synced cometbft-0.38-initial-height 0.38 classic pebbledb
followed 0.40 libp2p
engines simapp-0.50-mixed-engines pebbledb
engines simapp-0.50-mixed-engines goleveldb
every_block goleveldb 3000 pebbledb
for release in 0.40 1.0; do
    network "$release" pebbledb
    checkpoints "$release"
done
say "== more conversions"
there_and_back 1.0 0.40
for name in 0.38-goleveldb 0.38-goleveldb-ext 0.38-initial-height 0.38-evidence 0.38-goleveldb-killed 0.38-goleveldb-killed-gap 0.38-pebble 0.40-goleveldb; do
    converted "cometbft-$name" "${name%%-*}" 1.0
done
repaired cometbft-1.0-mislabelled 1.0
if have_rocksdb; then network 0.38-rocksdb rocksdb; fi
say "ok: real engines and real nodes, all of them"
