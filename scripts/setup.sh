# shellcheck shell=bash
# Finds or installs what the build needs and sets the environment of the other scripts, which source it:
#   ROOT                the checkout
#   CARGO_TARGET_DIR    the build folder, outside the checkout: NODE_MIGRATE_BUILD, or the user's cache folder
#   CACHE               what is fetched or built once (libclang, programs of upstream): NODE_MIGRATE_CACHE, or the user's cache folder
#   LIBCLANG_PATH       only where the build would not find libclang by itself
# Run by itself (bash scripts/setup.sh) it says what it found.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${NODE_MIGRATE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/node-migrate}
export CARGO_TARGET_DIR=${NODE_MIGRATE_BUILD:-${CARGO_TARGET_DIR:-$CACHE/build}}
# Python drivers leave nothing in the checkout.
export PYTHONDONTWRITEBYTECODE=1

say() { printf '%s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# apt_install PACKAGE...: true when the packages are there afterwards. Only root on Debian and its kin can.
apt_install() {
    [ "$(id -u)" = 0 ] && have apt-get || return 1
    say "setup: installing $*"
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } >/dev/null 2>&1
}

need_cargo() {
    if ! have cargo && [ -n "${HOME:-}" ] && [ -x "$HOME/.cargo/bin/cargo" ]; then PATH=$HOME/.cargo/bin:$PATH; fi
    have cargo || die "no cargo: install Rust by rustup (the toolchain that rust-toolchain.toml names comes by itself)"
}

need_compiler() {
    have c++ || have g++ || have clang++ || apt_install g++ || die "no C++ compiler: RocksDB is C++ (Debian and Ubuntu: g++)"
}

# The folders where the bindings' generator looks for libclang by itself.
libclang_found_by_itself() {
    local each
    for each in /usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib /usr/lib64 /usr/local/lib /usr/local/llvm*/lib; do
        compgen -G "$each/libclang.so*" >/dev/null && return 0
        compgen -G "$each/libclang-[0-9]*.so*" >/dev/null && return 0
    done
    have llvm-config && compgen -G "$(llvm-config --libdir)/libclang*.so*" >/dev/null
}

libclang_by_pip() {
    local wheel=$CACHE/libclang
    if ! [ -e "$wheel/clang/native/libclang.so" ]; then
        python3 -m pip --version >/dev/null 2>&1 ||
            die "no libclang, which RocksDB's bindings need: install libclang-dev as root, or python3-pip so that this script can fetch it"
        say "setup: fetching libclang into $wheel"
        rm -rf "$wheel.part"
        PIP_ROOT_USER_ACTION=ignore python3 -m pip install -q --disable-pip-version-check --no-deps --target "$wheel.part" libclang || die "pip cannot fetch libclang"
        rm -rf "$wheel"
        mv "$wheel.part" "$wheel"
    fi
    export LIBCLANG_PATH=$wheel/clang/native
}

# A bare libclang comes without the compiler's own headers (stddef.h and the like): lend it those of the C compiler.
lend_headers() {
    compgen -G "/usr/lib/llvm-*/lib/clang/*/include/stddef.h" >/dev/null && [ -z "${LIBCLANG_PATH:-}" ] && return
    local include
    include=$("${CC:-cc}" -print-file-name=include 2>/dev/null) || return 0
    [ -e "$include/stddef.h" ] && export BINDGEN_EXTRA_CLANG_ARGS="${BINDGEN_EXTRA_CLANG_ARGS:-} -I$include"
    return 0
}

need_libclang() {
    if [ -z "${LIBCLANG_PATH:-}" ] && ! libclang_found_by_itself; then
        apt_install libclang-dev || true
        libclang_found_by_itself || libclang_by_pip
    fi
    lend_headers
}

# The programs. The crates are built together: so their dependencies have the features that they have in the tests, and RocksDB is
# compiled once.
build_programs() { (cd "$ROOT" && cargo build -q -p node-migrate -p proofs -p proto -p testnet); }

mkdir -p "$CACHE" "$CARGO_TARGET_DIR"
need_cargo
need_compiler
need_libclang

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    say "checkout:      $ROOT"
    say "build folder:  $CARGO_TARGET_DIR"
    say "cache folder:  $CACHE"
    say "cargo:         $(cd "$ROOT" && cargo --version)"
    say "libclang:      ${LIBCLANG_PATH:-found by the build itself}"
    say "optional:      go $(have go && go env GOVERSION || echo missing), python3 $(have python3 && echo there || echo missing)"
fi
