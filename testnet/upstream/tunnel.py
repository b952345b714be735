#!/usr/bin/env python3
"""tunnel.py CLASSIC LIBP2P FOLDER NODE_MIGRATE: one network of four validators, two on the classic transport and two on libp2p, which
only `node-migrate shim tunnel` joins.

CLASSIC is the node of v0.38, LIBP2P that of v0.39; FOLDER must not exist. Without a tunnel no block is made, with one there are, with
transactions from either side; they stop when it is killed and go on when it is back; of two tunnels one may be killed."""

import base64
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import libp2p
from node import Failure, Node, free_ports

VALIDATORS = 4
STILL_SECONDS = 5
BLOCKS = 12
SETTINGS = {
    ".proxy_app": '"persistent_kvstore"', "p2p.flush_throttle_timeout": '"10ms"', "consensus.timeout_commit": '"100ms"',
    "consensus.peer_gossip_sleep_duration": '"10ms"', "tx_index.indexer": '"kv"'}


class Tunnel:
    """`node-migrate shim tunnel` between two nodes."""

    def __init__(self, program, network, classic, lp2p):
        self.log = network.folder / f"tunnel-{classic.home.name}-{lp2p.home.name}.log"
        address = f"{network.node_id(classic)}@127.0.0.1:{classic.p2p_port}"
        self.command = [
            str(program), "--json", "shim", "tunnel", "--chain-id", network.chain_id(), "--classic", address, "--classic-release", "0.38",
            "--lp2p", libp2p.address(lp2p), "--lp2p-release", "0.39", "--listen", "127.0.0.1:0", "--status-every", "2"]
        self.process = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        """As an operator does: it must leave by itself, with what it counted as its last line."""
        self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure("the tunnel did not end within 10 s of an interrupt") from None
        self.process = None
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        if code != 0 or lines[-1]["type"] != "result":
            raise Failure(f"the tunnel ended with {code}:\n{self.last_words()}")
        return lines

    def last_words(self):
        return "\n".join(self.log.read_text().splitlines()[-10:])


class Network:
    """Validators 0 and 1 on the classic transport, 2 and 3 on libp2p."""

    def __init__(self, classic, lp2p, folder):
        self.binary, self.folder = Path(classic).resolve(), Path(folder).resolve()
        ports = free_ports(2 * VALIDATORS)
        binaries = [classic, classic, lp2p, lp2p]
        self.nodes = [
            Node(Path(binary).resolve(), self.folder / f"node{i}", ports[2 * i:2 * i + 2]) for i, binary in enumerate(binaries)]
        self.tunnels = []

    def node_id(self, node):
        command = [self.binary, "show-node-id", "--home", str(node.home)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def chain_id(self):
        return json.loads((self.nodes[0].home / "config/genesis.json").read_text())["chain_id"]

    def make(self):
        command = [self.binary, "testnet", "--v", str(VALIDATORS), "--o", str(self.folder), "--populate-persistent-peers=false"]
        subprocess.run(command, check=True, capture_output=True)
        for i, node in enumerate(self.nodes[:2]):
            other = self.nodes[1 - i]
            peer = f'"{self.node_id(other)}@127.0.0.1:{other.p2p_port}"'
            node.configure(settings={**SETTINGS, "p2p.persistent_peers": peer})
        for i, node in enumerate(self.nodes[2:]):
            libp2p.configure(node, [self.nodes[3 - i]], SETTINGS)

    def start(self):
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait(lambda node=node: node.height() >= 0, "an answer")

    def stop(self):
        for tunnel in self.tunnels:
            if tunnel.process:
                tunnel.kill()
        for node in self.nodes:
            node.stop()

    def tunnel(self, program, classic, lp2p):
        made = Tunnel(program, self, self.nodes[classic], self.nodes[lp2p])
        self.tunnels.append(made)
        return made

    def heights(self):
        return [node.height() for node in self.nodes]

    def still(self):
        """The height at which all of them stand, after what was under way has come to its end."""
        time.sleep(1)
        before = self.heights()
        time.sleep(STILL_SECONDS)
        if (after := self.heights()) != before:
            raise Failure(f"without a tunnel the heights went from {before} to {after}")
        return max(before)

    def go_on(self, blocks=BLOCKS):
        """So many more blocks, everywhere; the seconds until the first of them."""
        begin, height = time.monotonic(), max(self.heights())
        self.nodes[0].wait_height(height + 1)
        first = time.monotonic() - begin
        for node in self.nodes:
            node.wait_height(height + blocks)
        return first

    def cross(self, near, far, key):
        """A transaction that is sent on one side must be in a block on the other."""
        tx = base64.b64encode(f"{key}=1".encode()).decode()
        self.nodes[near].call("broadcast_tx_sync", tx=tx)
        query = {"path": "/key", "data": key.encode().hex()}
        self.nodes[far].wait(lambda: self.nodes[far].call("abci_query", **query)["response"].get("value"), f"the transaction {key}")

    def check(self):
        """One chain, signed by all."""
        height = min(self.heights()) - 1
        for each in range(1, height + 1):
            if len({node.block_hash(each) for node in self.nodes}) != 1:
                raise Failure(f"the nodes have different blocks at {each}")
        signers = set()
        for each in range(2, height + 1):
            commit = self.nodes[2].call("commit", height=str(each))["signed_header"]["commit"]
            signers |= {signature["validator_address"] for signature in commit["signatures"] if signature["block_id_flag"] == 2}
        if len(signers) != VALIDATORS:
            raise Failure(f"only {len(signers)} of {VALIDATORS} validators sign")
        return height


def counted(lines):
    """The counters of the last line, which must show traffic both ways and no loss."""
    counts = lines[-1]["counts"]
    for way in ("to_lp2p", "to_classic"):
        votes = [count for count in counts if count["way"] == way and count["channel"] == "0x22"]
        if not votes or votes[0]["messages"] < BLOCKS:
            raise Failure(f"the tunnel counted {votes} votes {way}")
    if lost := [count for count in counts if count["lost"]]:
        raise Failure(f"the tunnel lost messages: {lost}")
    return sum(count["messages"] for count in counts)


def scenario(network, program):
    network.make()
    network.start()
    if (height := network.still()) != 0:
        raise Failure(f"without a tunnel the network came to {height}")
    one = network.tunnel(program, 0, 2)
    one.start()
    network.go_on()
    network.cross(0, 3, "classic")
    network.cross(3, 1, "libp2p")
    one.kill()
    network.still()
    one.start()
    recovered = network.go_on()
    # With two of them either may go.
    other = network.tunnel(program, 1, 3)
    other.start()
    other_joined = lambda: "joined" in other.log.read_text()
    network.nodes[0].wait(other_joined, "a second tunnel")
    network.go_on(3)
    one.kill()
    network.go_on()
    messages = counted(other.stop())
    network.still()
    return network.check(), recovered, messages


def main():
    classic, lp2p, folder, program = sys.argv[1:]
    network = Network(classic, lp2p, folder)
    try:
        height, recovered, messages = scenario(network, Path(program).resolve())
    except Failure:
        for tunnel in network.tunnels:
            print(f"--- {tunnel.log.name}\n{tunnel.last_words()}")
        for node in network.nodes:
            print(f"--- {node.home.name}\n{node.last_words()}")
        raise
    finally:
        network.stop()
    print(f"ok: {network.binary.name} and {Path(lp2p).name}: {height} blocks of four validators through the tunnel, none without it; back "
          f"{recovered:.1f} s after a kill; {messages} messages through the second one, none lost")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
