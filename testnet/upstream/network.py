#!/usr/bin/env python3
"""network.py BINARY FOLDER NODE_MIGRATE ENGINE: a network of four real validators, migrated as a whole, must go on.

Makes the network in FOLDER (which must not exist), lets it make blocks with transactions, stops it, migrates every home, starts it
again and waits for new blocks. ENGINE `none` leaves the migration out: it shows that the network itself works."""

import base64
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from node import Failure, Node, free_ports
from tool import Tool

VALIDATORS = 4
SESSIONS = (12, 30)  # two sessions before the migration: a restart turns logs into tables
NEW_BLOCKS = 20
POWER = 10  # of everybody, so that it can change a little without a third of it in one hand
SIGN_SECONDS = 240


class Network:
    def __init__(self, binary, folder):
        self.binary, self.folder = Path(binary).resolve(), Path(folder).resolve()
        ports = free_ports(2 * VALIDATORS)
        self.nodes = [Node(self.binary, self.folder / f"node{i}", ports[2 * i:2 * i + 2]) for i in range(VALIDATORS)]
        self.sent = 0

    def command(self, *arguments):
        done = subprocess.run([self.binary, *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def make(self, settings=None):
        self.command("testnet", "--v", str(VALIDATORS), "--o", str(self.folder), "--populate-persistent-peers=false")
        for node in self.nodes:
            node.configure(settings={**self.settings(node), **(settings or {})})
            self.edit_genesis(node, lambda genesis: [each.update(power=str(POWER)) for each in genesis["validators"]])

    def edit_genesis(self, node, change):
        path = node.home / "config/genesis.json"
        genesis = json.loads(path.read_text())
        change(genesis)
        path.write_text(json.dumps(genesis, indent=2))

    def settings(self, node):
        """What makes this node one of the network, and a fast one."""
        peers = [self.address(each) for each in self.nodes if each is not node]
        return {".proxy_app": '"persistent_kvstore"', "p2p.persistent_peers": f'"{",".join(peers)}"', "p2p.flush_throttle_timeout": '"10ms"',
                "consensus.timeout_commit": '"60ms"', "consensus.peer_gossip_sleep_duration": '"10ms"', "tx_index.indexer": '"kv"'}

    def address(self, node):
        """`id@host:port` of a node on the classic transport."""
        return f"{self.command('show-node-id', '--home', str(node.home))}@127.0.0.1:{node.p2p_port}"

    def chain_id(self):
        return json.loads((self.nodes[0].home / "config/genesis.json").read_text())["chain_id"]

    def start(self):
        for node in self.nodes:
            node.start()

    def stop(self):
        failures = []
        for node in self.nodes:
            try:
                node.stop()
            except Failure as failure:
                failures.append(str(failure))
        if failures:
            raise Failure("; ".join(failures))

    def run_to(self, height):
        """Feeds transactions until every node has the height."""
        for node in self.nodes:
            node.wait_height(1)
        while (now := self.nodes[0].height()) < height:
            self.send()
            self.nodes[0].wait_height(min(now + 2, height))
        for node in self.nodes:
            node.wait_height(height)

    def send(self):
        self.sent += 1
        self.send_this(f"key{self.sent}={'v' * (self.sent * 97 % 3000 + 1)}")

    def send_this(self, transaction):
        try:
            self.nodes[self.sent % VALIDATORS].call("broadcast_tx_sync", tx=base64.b64encode(transaction.encode()).decode())
        except Failure as failure:
            # From 0.40 on a node takes no transactions just after its start.
            if "catching up" not in str(failure):
                raise

    def history(self, height):
        """Block hashes from 1 to `height`, which all nodes must agree on."""
        chains = [[node.block_hash(each) for each in range(1, height + 1)] for node in self.nodes]
        if any(chain != chains[0] for chain in chains):
            raise Failure("the nodes serve different blocks")
        return chains[0]

    def signers(self, first, last):
        """Addresses of the validators whose signatures are in the commits of these heights."""
        found = set()
        for height in range(first, last + 1):
            commit = self.nodes[0].call("commit", height=str(height))["signed_header"]["commit"]
            found |= {each["validator_address"] for each in commit["signatures"] if each["block_id_flag"] == 2}
        return found

    def wait_all_sign(self, first):
        """Until every validator's signature is in the commit of a height from `first` on: one that started late catches up before it signs."""
        end, found, height = time.monotonic() + SIGN_SECONDS, set(), first
        while len(found) < VALIDATORS:
            if time.monotonic() > end:
                raise Failure(f"only {len(found)} of {VALIDATORS} validators sign the heights {first} to {height - 1}")
            self.nodes[0].wait_height(height + 1)
            found |= self.signers(height, height)
            height += 1


def migrate_all(network, tool, engine):
    backend = {"pebble": "pebbledb", "leveldb": "goleveldb"}.get(engine, engine)
    for node in network.nodes:
        engines = tool.migrate(node.home, engine)
        config = (node.home / "config/config.toml").read_text()
        if not re.search(rf'^db_backend = "{backend}"$', config, re.M):
            raise Failure(f"{node.home.name}: config.toml does not name {backend}")
        print(f"   {node.home.name}: {json.dumps(engines)}", flush=True)


def scenario(network, tool, engine):
    network.make()
    for height in SESSIONS:
        network.start()
        network.run_to(height)
        before = network.history(height)
        network.stop()
    if engine != "none":
        migrate_all(network, tool, engine)
    network.start()
    network.run_to(len(before) + NEW_BLOCKS)
    after = network.history(len(before) + NEW_BLOCKS)
    if after[:len(before)] != before:
        raise Failure("the old blocks are not what they were")
    network.wait_all_sign(len(before) + 2)
    network.stop()
    if engine != "none":
        # The new stores hold heights that the old ones lack: going back would lose them, so it must be refused.
        tool.run("rollback", network.nodes[0].home, "--execute", expect=8)
    return len(before), len(after)


def main():
    binary, folder, program, engine = sys.argv[1:]
    network = Network(binary, folder)
    try:
        before, after = scenario(network, Tool(program), engine)
    finally:
        network.stop()
    print(f"ok: {network.binary.name}: four validators made blocks 1 to {before}, moved to {engine}, and made {before + 1} to {after}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
