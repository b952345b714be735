#!/usr/bin/env python3
"""lp2p.py BINARY FOLDER PROGRAM: a real libp2p node gives all its blocks to our transport, byte for byte, and loses no request of a flood.

PROGRAM is the example `lp2p-blocks` of the crate `shim`; BINARY a node of v0.39 or v0.40; FOLDER must not exist."""

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

import libp2p
from node import Failure, Node

HEIGHT = 25
FLOOD = 2000
PART_BYTES = 65536


def root(leaves):
    """RFC 6962, as CometBFT hashes the parts of a block."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + root(leaves[:split]) + root(leaves[split:])).digest()


def parts(block):
    """The hash and the number of parts of a block's bytes, which its id and the next block's commit name."""
    pieces = [block[at:at + PART_BYTES] for at in range(0, len(block), PART_BYTES)]
    return root(pieces).hex(), len(pieces)


def make(binary, folder):
    subprocess.run([binary, "testnet", "--v", "1", "--o", str(folder), "--populate-persistent-peers=false"], check=True, capture_output=True)
    node = Node(binary, Path(folder) / "node0")
    libp2p.configure(node, [], {
        ".proxy_app": '"persistent_kvstore"', "consensus.timeout_commit": '"50ms"', "consensus.create_empty_blocks": "true"})
    return node


def scenario(node, program):
    node.start()
    node.wait_height(2)
    # One block of several parts.
    node.call("broadcast_tx_commit", tx=base64.b64encode(b"key=" + b"v" * 200_000).decode())
    node.wait_height(HEIGHT)
    done = subprocess.run([program, libp2p.address(node), str(FLOOD)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{program}: {done.stderr[-2000:]}\n{node.last_words()}")
    *blocks, flood = [line.split() for line in done.stdout.splitlines()]
    got = sorted(parts(bytes.fromhex(block)) for _, block in blocks)
    ids = [node.call("block", height=str(height))["block_id"]["parts"] for height in range(1, len(blocks) + 1)]
    expected = sorted((each["hash"].lower(), each["total"]) for each in ids)
    if got != expected or len(blocks) < HEIGHT:
        raise Failure(f"{len(blocks)} blocks came, and not all are the node's")
    if max(total for _, total in got) < 3:
        raise Failure("no block of several parts came")
    if flood[1:3] != [str(FLOOD)] * 2:
        raise Failure(f"of {FLOOD} requests {flood[1]} were receipted and {flood[2]} answered")
    return len(blocks), flood[3]


def main():
    binary, folder, program = sys.argv[1:]
    node = make(Path(binary).resolve(), folder)
    try:
        blocks, retries = scenario(node, program)
    finally:
        node.stop()
    print(f"ok: {Path(binary).name}: {blocks} blocks over libp2p, byte for byte; {FLOOD} requests at once, all answered, {retries} sent again")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
