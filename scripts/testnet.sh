#!/usr/bin/env bash
# testnet.sh real: a staged rollout over a network that goes on making blocks.
#   real    four real CometBFT 0.38 validators go from goleveldb to Pebble under load; the same with a store that is damaged after its
#           verification, which halts the rollout and goes back by itself; what it costs, beside a network left alone. Needs Go and Python 3.
# Reviews of the rollouts and the comparison (a table and a picture) are left in NODE_MIGRATE_REPORT [default: the cache folder's reports/].
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
. "$ROOT/scripts/upstream.sh"

real() {
    local report=${NODE_MIGRATE_REPORT:-$CACHE/reports}/real
    if ! have go || ! have python3; then say "SKIPPED: real validators: Go and Python 3 are needed"; return; fi
    build_node 0.38
    build_programs
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    python3 "$upstream/rollout.py" "$programs/cometbft-0.38" "$work/networks" "$CARGO_TARGET_DIR/debug/node-migrate" "$report"
}

case ${1:-} in
    real) real ;;
    *) die "usage: testnet.sh real" ;;
esac
