#!/usr/bin/env python3
"""engines.py ENGINE_CHECK NODE_MIGRATE HOME TARGET: migrates a copy of the home and lets the real engines judge every database of it.

Each judge gets a fresh copy of each database folder, must find the digest that node-migrate says, and then writes, reopens, compacts."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from node import Failure
from tool import Tool

# Which libraries must open what we write for a target, and the arguments of their run.
JUDGES = {
    "goleveldb": [["goleveldb"], ["cometbft-db/goleveldb"], ["cosmos-db/goleveldb"]],
    # Format 1 is what today's nodes open; raised to the newest of Pebble 1 it must still hold.
    "pebbledb": [["pebble1"], ["pebble1", "-ratchet", "16"], ["cometbft-db/pebble"], ["cosmos-db/pebble"]],
    "pebbledb,format=13": [["pebble1"], ["pebble2"], ["pebble2", "-ratchet", "16"]],
}


def judge(engine_check, database, sha256, judgement):
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / database.name
        shutil.copytree(database, copy)
        name, *options = judgement
        done = subprocess.run([engine_check, "-engine", name, "-dir", copy, "-sha256", sha256, *options],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failure(done.stdout + done.stderr)
        print(f"   {done.stdout.splitlines()[-1]}", flush=True)


def main():
    engine_check, program, home, target = sys.argv[1:]
    tool = Tool(program)
    judged = tool.migrate(home, target)
    digests, _ = tool.digests(home)
    if not judged:
        raise Failure(f"no database of {home} is written by the migration to {target}")
    for each in judged:
        for judgement in JUDGES[target]:
            judge(engine_check, Path(home) / "data" / each, digests[each][1], judgement)
    print(f"ok: {Path(home).name}: {len(judged)} databases in {target}, judged by {len(JUDGES[target])} runs of the real engines")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
