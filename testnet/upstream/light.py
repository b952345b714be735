#!/usr/bin/env python3
"""light.py NODE_MIGRATE LIGHT_0.38 LIGHT_1.0 FIXTURES: converts the stores of light clients, and lets the light client of the other
release read them: each must find every block, and its own checks of validators and commits must hold."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

CHAIN = "fx-038"
# From which store, by which words, for the light client of which release.
WAYS = [
    ("v1_0-v2", ["--for", "cometbft-0.38"], "0.38"),
    ("v1_0-v1", ["--for", "cometbft-0.38"], "0.38"),
    ("v0_38", ["--for", "cometbft-1.0", "--to", "goleveldb"], "1.0"),
    ("v0_38", ["--to", "goleveldb,layout=v2,dialect=v1_0"], "1.0"),
]


def unpacked(fixtures, name, folder):
    packed = pathlib.Path(fixtures, "light-client", f"{name}.tar.zst")
    plain = subprocess.run(["zstd", "-qdc", packed], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", folder], check=True, input=plain)
    return pathlib.Path(folder, "light-client", name)


def read(program, home):
    """What a light client finds in a copy: opening a store changes it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, "light-client-db.db")
        shutil.copytree(home / "light-client-db.db", copy)
        return subprocess.run([program, "read", copy, CHAIN], check=True, capture_output=True, text=True).stdout


def main(node_migrate, light_038, light_10, fixtures):
    programs = {"0.38": light_038, "1.0": light_10}
    with tempfile.TemporaryDirectory() as folder:
        expected = read(light_038, unpacked(fixtures, "v0_38", folder))
    if len(expected.splitlines()) != 7:
        sys.exit(f"the light client of 0.38 finds in its own store\n{expected}")
    for name, words, release in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            home = unpacked(fixtures, name, folder)
            subprocess.run([node_migrate, "migrate", home, *words, "--execute"], check=True, capture_output=True)
            actual = read(programs[release], home)
            if actual != expected:
                sys.exit(f"{name} {words}: the light client of {release} finds\n{actual}instead of\n{expected}")
            print(f"{name} {' '.join(words)}: the light client of {release} reads every block")


if __name__ == "__main__":
    main(*sys.argv[1:])
