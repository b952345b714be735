#!/usr/bin/env python3
"""checkpoints.py BINARY FOLDER NODE_MIGRATE LEDGER_PROOF: checkpoints of nodes that make blocks are the network's.

Makes a network of four validators in FOLDER (which must not exist). While it makes blocks, a checkpoint is signed from the store of every
node, by snapshot; all must have one root, and `ledger-proof` must get it from the RPC of other nodes. Then the homes are migrated to
different engines: each must give the same checkpoint to the byte, and a larger one once the nodes run again."""

import json
import sys
from pathlib import Path

from network import Network
from node import Failure
from tool import Tool

ORIGIN = "example.org/network"
SESSIONS = (12, 30)  # a restart turns logs into tables
ENGINES = ("pebbledb", "goleveldb", "pebbledb,format=13", "rocksdb")
BACKENDS = ("pebbledb", "goleveldb")  # what the nodes of every release from 0.38 open


class Log:
    """The key of one node's checkpoints, with what it signed last, outside of the home."""

    def __init__(self, tool, proof, node):
        self.tool, self.proof, self.node = tool, proof, node
        self.key = node.home.parent / f"{node.home.name}.key"
        self.checkpoint = node.home.parent / f"{node.home.name}.checkpoint"

    def sign(self, *more):
        """Signs, and returns origin, size and root."""
        made = ["--new-key", ORIGIN] if not self.key.exists() else []
        said = self.tool.run("--json", "checkpoint", "create", self.node.home, "--key", self.key, "--out", self.checkpoint, *made, *more)
        said = json.loads(said)
        self.vkey = said["vkey"]
        return said["origin"], said["size"], said["root"]

    def forget(self):
        self.key.with_name(self.key.name + ".last").unlink()

    def reproduce(self, nodes, root):
        """The root by ledger-proof from the RPC of these nodes, every signature checked."""
        urls = [f"http://127.0.0.1:{node.rpc_port}" for node in nodes]
        said = self.proof.run("reproduce", "--rpc", urls[0], "--rpc2", urls[1], "--rate", 100000, "--checkpoint", self.checkpoint, "--log", self.vkey)
        if f"root {root}\n" not in said or "holds: " not in said:
            raise Failure(f"ledger-proof does not say that {root} holds:\n{said}")

    def grown_from(self, older):
        """The last checkpoint's tree grew from that of the older file, for a third party."""
        growth = self.key.with_suffix(".growth")
        self.tool.run("checkpoint", "consistency", self.node.home, older, self.checkpoint, "--out", growth)
        self.proof.run("verify", "consistency", growth, "--old", older, "--log", self.vkey)


def same(found):
    if len(set(found)) != 1:
        raise Failure(f"the nodes give different checkpoints: {found}")
    return found[0]


def running(network, logs, above):
    """Checkpoints of running nodes: each later than the one before, one root for all, and that of the RPC."""
    tips = [log.sign() for log in logs]
    if min(size for _, size, _ in tips) <= above:
        raise Failure(f"the snapshots are behind height {above}: {tips}")
    # The nodes were asked one after another: the same height of all is the first one's.
    size = max(size for _, size, _ in tips)
    network.run_to(size + 1)
    for log in logs:
        log.forget()
    _, size, root = same([log.sign("--height", size) for log in logs])
    for place, log in enumerate(logs):
        others = [node for node in network.nodes if node is not log.node]
        log.reproduce((others[place % 3], log.node), root)
    return size, root


def scenario(network, tool, proof):
    network.make()
    logs = [Log(tool, proof, node) for node in network.nodes]
    for height in SESSIONS[:-1]:
        network.start()
        network.run_to(height)
        network.stop()
    network.start()
    network.run_to(SESSIONS[-1])
    size, root = running(network, logs, SESSIONS[-1] - 1)
    older = [log.checkpoint.rename(log.checkpoint.with_suffix(".older")) for log in logs]
    bytes_before = [path.read_text() for path in older]
    network.run_to(size + 5)  # reading them has not disturbed the nodes
    network.stop()
    moved = []
    for log, engine, before in zip(logs, ENGINES, bytes_before, strict=True):
        # A home that has the engine already stays as it is.
        moved.append(tool.migrate(log.node.home, engine))
        log.forget()
        log.sign("--height", size)
        if log.checkpoint.read_text() != before:
            raise Failure(f"{log.node.home.name}: the checkpoint from {engine} differs:\n{log.checkpoint.read_text()}\n{before}")
    if len([each for each in moved if each]) < 2:
        raise Failure(f"too few homes were migrated: {moved}")
    for log, engine, databases in zip(logs, ENGINES, moved, strict=True):
        if databases and engine not in BACKENDS:
            tool.run("rollback", log.node.home, "--execute")
    network.start()
    network.run_to(size + 10)
    later, _ = running(network, logs, size + 9)
    for log, path in zip(logs, older, strict=True):
        log.grown_from(path)
    network.stop()
    return size, root, later


def main():
    binary, folder, program, ledger_proof = sys.argv[1:]
    network = Network(binary, Path(folder))
    try:
        size, root, later = scenario(network, Tool(program), Tool(ledger_proof))
    finally:
        network.stop()
    print(f"ok: {network.binary.name}: four running nodes, their RPC and their migrated stores give root {root} over {size} heights; it grew to {later}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
