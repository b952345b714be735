# shellcheck shell=bash
# Builds upstream's programs, for the scripts that source it after setup.sh:
#   upstream     the folder of their sources and drivers
#   programs     where they are built, once for each state of their sources

upstream=$ROOT/testnet/upstream
programs=$CACHE/upstream

# build NAME FOLDER PACKAGE TAGS
build() {
    mkdir -p "$programs"
    local name=$1 folder=$upstream/$2 stamp
    stamp=$({ go version && echo "$3 $4" && find "$folder" -type f | sort | xargs cat; } | sha256sum)
    [ -x "$programs/$name" ] && [ "$(cat "$programs/$name.stamp" 2>/dev/null)" = "$stamp" ] && return
    say "building $name"
    (cd "$folder" && go build -buildvcs=false -mod=readonly -trimpath -ldflags "-s -w" -tags "$4" -o "$programs/$name" "$3")
    printf '%s\n' "$stamp" >"$programs/$name.stamp"
}

# build_node RELEASE: the node's program of a release, as cometbft-RELEASE
build_node() {
    local module=github.com/cometbft/cometbft
    [ "$1" = 0.34 ] && module=github.com/tendermint/tendermint
    build "cometbft-$1" "node/v$1" "$module/cmd/cometbft" pebbledb
}
