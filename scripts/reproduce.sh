#!/usr/bin/env bash
# reproduce.sh: runs the commands of docs/reproduce.md as they stand there, on a shipped home that a real node serves, before and after a
# migration; every way must give the same root. Needs Go and Python 3; the way by Spark also Java and pyspark (fetched into the cache
# folder), and says loudly when it is skipped.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

if ! have go || ! have python3; then say "!!!! SKIPPED: reproduce: Go and Python 3 are needed"; exit 0; fi

fixture=cometbft-0.38-goleveldb
page=$ROOT/docs/reproduce.md
programs=$CACHE/upstream
work=$(mktemp -d)
node=
finish() {
    if [ -n "$node" ]; then kill "$node" 2>/dev/null || true; wait "$node" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT

build_programs
export PATH=$CARGO_TARGET_DIR/debug:$PATH
mkdir -p "$programs"
(cd "$ROOT/testnet/upstream/node/v0.38" && go build -buildvcs=false -mod=readonly -trimpath -o "$programs/cometbft-reproduce" github.com/cometbft/cometbft/cmd/cometbft)

# The page is read from the checkout, and what it writes goes to the work folder.
ln -s "$ROOT/scripts" "$work/scripts"
ln -s "$ROOT/testnet" "$work/testnet"
NODE_HOME=$(unpack-home "$ROOT/fixtures/$fixture.tar.zst" "$work/migrated")
served=$(unpack-home "$ROOT/fixtures/$fixture.tar.zst" "$work/served")
# Signed with the home's own key before the migration, so that the receipt names it.
node-migrate checkpoint create "$NODE_HOME" >/dev/null
RECEIPT_VKEY=$(node-migrate --json migrate "$NODE_HOME" --to pebbledb --execute | tail -n 1 |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["signed_by"])')
export NODE_HOME RECEIPT_VKEY

# A real node serves the home as it was.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
RPC=http://127.0.0.1:$port
sed -i -e "/^\[rpc\]/,/^\[/s|^laddr = .*|laddr = \"tcp://127.0.0.1:$port\"|" -e "/^\[p2p\]/,/^\[/s|^laddr = .*|laddr = \"tcp://127.0.0.1:0\"|" \
    -e 's|^persistent_peers = .*|persistent_peers = ""|' -e 's|^pprof_laddr = .*|pprof_laddr = ""|' "$served/config/config.toml"
"$programs/cometbft-reproduce" start --home "$served" --log_level error >"$work/node.log" 2>&1 &
node=$!
for _ in $(seq 300); do
    LAST=$(python3 - "$RPC" 2>/dev/null <<'PYTHON' || true
import json, sys, urllib.request
print(json.load(urllib.request.urlopen(sys.argv[1] + "/status"))["result"]["sync_info"]["latest_block_height"])
PYTHON
    )
    [ -n "$LAST" ] && break
    kill -0 "$node" 2>/dev/null || { cat "$work/node.log"; die "the node ended"; }
    sleep 0.2
done
[ -n "$LAST" ] || die "the node does not answer"
read -r BLOCK_HASH PARTS PART_SET_HASH < <(python3 - "$RPC" <<'PYTHON'
import json, sys, urllib.request
block = json.load(urllib.request.urlopen(sys.argv[1] + "/block?height=7"))["result"]["block_id"]
print(block["hash"], block["parts"]["total"], block["parts"]["hash"])
PYTHON
)
export RPC LAST BLOCK_HASH PARTS PART_SET_HASH

# run NAME: the block of the page with that name, whose output is left in $said; variables that it sets stay.
run() {
    local commands
    commands=$(awk -v name="<!-- run: $1 -->" '$0 == name { on = 1; next } on && /^```sh$/ { body = 1; next } body && /^```$/ { exit } body' "$page")
    [ -n "$commands" ] || die "docs/reproduce.md has no commands named $1"
    say "---- $1"
    cd "$work"
    # Not in a condition: there the shell would go on after a command that failed.
    eval "$commands" >"$work/said"
    cat "$work/said"
}

root=
# same NAME: runs a way, whose root must be that of the others.
same() {
    local found
    run "$1"
    found=$(sed -n 's/^root //p' "$work/said")
    [ -n "$found" ] || die "$1 prints no root"
    [ -z "$root" ] || [ "$root" = "$found" ] || die "$1 gives the root $found, the others $root"
    root=$found
}

run sign
export VKEY
same ledger-proof
same python
same go
if have java; then
    [ -d "$CACHE/pyspark" ] || { python3 -m venv "$CACHE/pyspark.part" && "$CACHE/pyspark.part/bin/pip" install -q pyspark && mv "$CACHE/pyspark.part" "$CACHE/pyspark"; } || rm -rf "$CACHE/pyspark.part"
fi
if have java && [ -x "$CACHE/pyspark/bin/python3" ]; then
    PATH=$CACHE/pyspark/bin:$PATH
    same spark
else
    say "!!!! SKIPPED: the way by Spark SQL: Java and pyspark are needed"
fi
run height
run receipt
grep -q "^checkpoint .* $LAST $root\$" "$work/said" || die "the receipt does not name the checkpoint with this root"
say "all ways that ran give the root $root"
