#!/usr/bin/env python3
"""serve.py BINARY HOME ORACLE: starts the real node alone on a home and compares what it serves with the oracle.

The home is changed by that, as by any start of a node: give it a copy."""

import json
import sys
from pathlib import Path

from node import Failure, Node


def check(node, oracle):
    """Height, and blocks, validators and results at the base, in the middle and at the top."""
    # A stopped node may have stored a block that it had not yet executed; it does so at the start.
    node.wait_height(oracle["height"])
    blocks = {block["height"]: block["hash"] for block in oracle["blocks"]}
    heights = sorted({min(blocks), (min(blocks) + max(blocks)) // 2, min(max(blocks), oracle["state_height"])})
    for height in heights:
        if (served := node.block_hash(height)) != blocks[height].lower():
            raise Failure(f"height {height}: the node serves block {served}, the oracle says {blocks[height]}")
        if not node.call("validators", height=str(height))["validators"]:
            raise Failure(f"height {height}: no validators")
        node.call("block_results", height=str(height))
    return heights


def main():
    binary, home, oracle = sys.argv[1:]
    node = Node(binary, home)
    node.configure()
    node.start()
    try:
        heights = check(node, json.loads(Path(oracle).read_text()))
    finally:
        node.stop()
    print(f"ok: {Path(home).name}: {Path(binary).name} serves heights {heights} as the oracle says")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
