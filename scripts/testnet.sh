#!/usr/bin/env bash
# testnet.sh [local|real]: a staged rollout over a network that goes on making blocks.
#   local   the default: seven validators of our own, a process each, in both formats, go from sled to RocksDB (layout v2) in three stages
#           under load; the same network left alone; the same with a store that is damaged after its verification, which halts the rollout
#           and goes back by itself, and is taken up again. All as testnet/scenarios/seven.toml says; NODE_MIGRATE_SCENARIO names another.
#   real    four real CometBFT 0.38 validators go from goleveldb to Pebble under load; the same with a store that is damaged after its
#           verification, which halts the rollout and goes back by itself; what it costs, beside a network left alone. Four that move from
#           0.38 on the classic transport to 0.39 on libp2p, through a tunnel, and to Pebble, one at a time. Needs Go and Python 3.
# Reviews of the rollouts and the comparison (a table and a picture) are left in NODE_MIGRATE_REPORT [default: the cache folder's reports/].
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
. "$ROOT/scripts/upstream.sh"

report=${NODE_MIGRATE_REPORT:-$CACHE/reports}

# The folder of the networks, which goes at the end; where a scene failed it stays, with the logs of its nodes.
leave() {
    local code=$?
    if [ "$code" = 0 ]; then rm -rf "$work"; else say "testnet: what the nodes left is in $work"; fi
}

ours() {
    build_programs
    work=$(mktemp -d)
    trap leave EXIT
    "$CARGO_TARGET_DIR/debug/testnet" local "${NODE_MIGRATE_SCENARIO:-$ROOT/testnet/scenarios/seven.toml}" \
        --folder "$work/networks" --report "$report/local" --node-migrate "$CARGO_TARGET_DIR/debug/node-migrate"
}

real() {
    if ! have go || ! have python3; then say "SKIPPED: real validators: Go and Python 3 are needed"; return; fi
    for release in 0.38 0.39; do build_node "$release"; done
    build_programs
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    python3 "$upstream/rollout.py" "$programs/cometbft-0.38" "$work/networks" "$CARGO_TARGET_DIR/debug/node-migrate" "$report/real"
    python3 "$upstream/move.py" "$programs/cometbft-0.38" "$programs/cometbft-0.39" "$work/moving" "$CARGO_TARGET_DIR/debug/node-migrate"
}

case ${1:-local} in
    local) ours ;;
    real) real ;;
    *) die "usage: testnet.sh [local|real]" ;;
esac
