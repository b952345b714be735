#!/usr/bin/env bash
# check-fuzz.sh [SECONDS]: runs every fuzz target of the readers for SECONDS (default 60). Needs cargo-fuzz and a nightly toolchain.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

seconds=${1:-60}
if ! cargo fuzz --version >/dev/null 2>&1 || ! cargo +nightly --version >/dev/null 2>&1; then
    say "SKIPPED: fuzzing: cargo-fuzz and a nightly toolchain are needed (cargo install cargo-fuzz; rustup toolchain install nightly)"
    exit 0
fi
while read -r manifest; do
    folder=$(dirname "$manifest")
    say "fuzzing ${folder#"$ROOT"/}"
    while read -r target; do
        say "-- $target for $seconds s"
        (cd "$folder/.." && cargo +nightly fuzz run --fuzz-dir "$folder" "$target" -- -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10)
    done < <(cd "$folder/.." && cargo +nightly fuzz list --fuzz-dir "$folder")
done < <(find "$ROOT" -path '*/fuzz/Cargo.toml' -not -path '*/target/*')
