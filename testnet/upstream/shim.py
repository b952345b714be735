#!/usr/bin/env python3
"""shim.py synced WAY BINARY HOME ORACLE NODE_MIGRATE: an empty node gets every block of a home from `node-migrate shim serve` alone.
shim.py followed WAY BINARY FOLDER NODE_MIGRATE: it does so from the home of a running validator, then follows it, also when the shim is
killed and comes back; every vote has an extension.

WAY is `classic` or `libp2p`, the protocol between the node and the shim; FOLDER must not exist. The home is only read."""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import libp2p
from node import Failure, Node, free_ports
from tool import last_document

START_SECONDS = 180
SYNC_SECONDS = 300
FOLLOW_BLOCKS = 12


class Shim:
    """`node-migrate shim serve` with an identity of its own, which a node of the same release made."""

    def __init__(self, program, binary, way, served, folder):
        self.program, self.binary, self.way, self.served = str(program), str(binary), way, Path(served)
        self.home, (self.p2p_port,) = Path(folder) / "shim", free_ports(1)
        self.log, self.process = Path(folder) / "shim.log", None
        command([self.binary, "init", "--home", str(self.home)])

    def address(self):
        return f"{command([self.binary, 'show-node-id', '--home', str(self.home)])}@127.0.0.1:{self.p2p_port}"

    def start(self, node=None):
        """`node`: whom to stay connected with."""
        key, flag = self.home / "config/node_key.json", {"classic": "--classic", "libp2p": "--lp2p"}[self.way]
        line = [self.program, "--json", "shim", "serve", "--home", str(self.served), "--key", str(key), flag, f"127.0.0.1:{self.p2p_port}"]
        if node and self.way == "libp2p":
            line += ["--peer", libp2p.address(node)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(line, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def wait_verified(self, node):
        """The sweep has come to the end of the home."""
        verified = lambda: any(line.get("event") == "verified" and line["all"] for line in self.lines())
        node.wait(lambda: verified() or self.is_alive(), "verified blocks", START_SECONDS)

    def is_alive(self):
        if self.process.poll() is not None:
            raise Failure(f"the shim ended with {self.process.returncode}:\n{self.last_words()}")
        return False

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        """As an operator does: it must leave by itself. What it counted, by outcome."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure("the shim did not end within 20 s of an interrupt") from None
        if code != 0:
            raise Failure(f"the shim ended with {code}:\n{self.last_words()}")
        counted = {}
        for count in last_document(self.log.read_text())["counts"]:
            counted[count["outcome"]] = counted.get(count["outcome"], 0) + count["count"]
        return counted

    def last_words(self):
        return "\n".join(line[:400] for line in self.log.read_text().splitlines()[-8:])


def command(line):
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


def empty_node(binary, shim, folder):
    """A node without a block, on the chain of the shim's home, that knows nobody but the shim."""
    node = Node(binary, Path(folder) / "empty")
    command([str(binary), "init", "--home", str(node.home)])
    shutil.copy(shim.served / "config/genesis.json", node.home / "config/genesis.json")
    application = re.search(r'^proxy_app = (".*")', (shim.served / "config/config.toml").read_text(), re.M)[1]
    settings = {".proxy_app": application, "p2p.flush_throttle_timeout": '"10ms"'}
    if shim.way == "classic":
        node.configure(settings={**settings, "p2p.persistent_peers": f'"{shim.address()}"'})
    else:
        libp2p.configure(node, [shim], settings)
    return node


def extend_votes(path):
    """Every vote has an extension, which a node cannot do without."""
    genesis = json.loads(path.read_text())
    genesis["consensus_params"]["abci"]["vote_extensions_enable_height"] = "1"
    path.write_text(json.dumps(genesis))


def same_blocks(node, expected):
    for height, block_hash in expected.items():
        if (synced := node.block_hash(height)) != block_hash.lower():
            raise Failure(f"height {height}: the node synced block {synced}, {block_hash} is the chain's")


def synced(way, binary, home, oracle, program):
    folder = Path(tempfile.mkdtemp(prefix="shim-", dir=Path(home).parent))
    shim = Shim(program, binary, way, home, folder)
    node = empty_node(binary, shim, folder)
    blocks = {block["height"]: block["hash"] for block in json.loads(Path(oracle).read_text())["blocks"]}
    # The last block is synced by the one above it only.
    del blocks[max(blocks)]
    try:
        shim.start()
        shim.wait_verified(node)
        node.start()
        node.wait_height(max(blocks), SYNC_SECONDS)
        same_blocks(node, blocks)
        counted = shim.stop()
    finally:
        node.stop()
        if shim.process:
            shim.kill()
    if counted.get("block", 0) < len(blocks):
        raise Failure(f"the node has blocks that the shim did not give: {counted}")
    print(f"ok: {Path(home).name}: an empty {Path(binary).name} synced blocks {min(blocks)} to {max(blocks)} from the shim alone ({way})")


def followed(way, binary, folder, program):
    folder = Path(folder).resolve()
    folder.mkdir()
    validator = Node(binary, folder / "validator")
    command([str(binary), "init", "--home", str(validator.home)])
    validator.configure(settings={".proxy_app": '"persistent_kvstore"', "consensus.timeout_commit": '"500ms"'})
    extend_votes(validator.home / "config/genesis.json")
    shim = Shim(program, binary, way, validator.home, folder)
    node = empty_node(binary, shim, folder)
    try:
        validator.start()
        validator.wait_height(FOLLOW_BLOCKS)
        shim.start()
        shim.wait_verified(validator)
        node.start()
        node.wait_height(2, SYNC_SECONDS)
        node.wait(lambda: not node.call("status")["sync_info"]["catching_up"], "end of its block sync", SYNC_SECONDS)
        synced_to = node.height()
        node.wait_height(synced_to + FOLLOW_BLOCKS, SYNC_SECONDS)
        shim.kill()
        validator.wait_height(node.height() + FOLLOW_BLOCKS)
        # A libp2p node does not notice by itself that its peer is gone.
        shim.start(node)
        node.wait_height(validator.height() + 1, SYNC_SECONDS)
        same_blocks(node, {height: validator.block_hash(height) for height in range(1, node.height() + 1)})
        counted = shim.stop()
    finally:
        node.stop()
        validator.stop()
        if shim.process:
            shim.kill()
    if counted.get("caught up", 0) < FOLLOW_BLOCKS:
        raise Failure(f"the node followed without the shim: {counted}")
    print(f"ok: an empty {Path(binary).name} synced from the shim beside a running validator and followed it ({way}), also across a restart")


def main():
    what, way, *arguments = sys.argv[1:]
    {"synced": synced, "followed": followed}[what](way, *arguments)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
