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
from network import Network
from node import STOP_SECONDS, Failure

STILL_SECONDS = 5
STILL_TRIES = 6
BLOCKS = 12
SETTINGS = {"consensus.timeout_commit": '"100ms"'}


class Tunnel:
    """`node-migrate shim tunnel` between two nodes."""

    def __init__(self, program, network, classic, lp2p):
        self.log = network.folder / f"tunnel-{classic.home.name}-{lp2p.home.name}.log"
        self.command = [
            str(program), "--json", "shim", "tunnel", "--chain-id", network.chain_id(), "--classic", network.address(classic), "--classic-release", "0.38",
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
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"the tunnel did not end within {STOP_SECONDS} s of an interrupt") from None
        self.process = None
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        if code != 0 or lines[-1]["type"] != "result":
            raise Failure(f"the tunnel ended with {code}:\n{self.last_words()}")
        return lines

    def last_words(self):
        return "\n".join(self.log.read_text().splitlines()[-10:])


class Joined(Network):
    """A network that tunnels join."""

    def __init__(self, binary, folder):
        super().__init__(binary, folder)
        self.tunnels = []

    def stop(self):
        for tunnel in self.tunnels:
            if tunnel.process:
                tunnel.kill()
        super().stop()

    def tunnel(self, program, classic, lp2p):
        made = Tunnel(program, self, self.nodes[classic], self.nodes[lp2p])
        self.tunnels.append(made)
        return made

    def heights(self):
        return [node.height() for node in self.nodes]

    def still(self):
        """The height at which all of them stand, after what was under way has come to its end."""
        after = self.heights()
        for _ in range(STILL_TRIES):
            before = after
            time.sleep(STILL_SECONDS)
            if (after := self.heights()) == before:
                return max(before)
        raise Failure(f"without a tunnel the heights went from {before} to {after}")

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

    def print_logs(self):
        for tunnel in self.tunnels:
            print(f"--- {tunnel.log.name}\n{tunnel.last_words()}")
        for node in self.nodes:
            print(f"--- {node.home.name}\n{node.last_words()}")


class Divided(Joined):
    """Validators 0 and 1 on the classic transport, 2 and 3 on libp2p."""

    def __init__(self, classic, lp2p, folder):
        super().__init__(classic, folder)
        for node in self.nodes[2:]:
            node.binary = str(Path(lp2p).resolve())

    def make(self):
        super().make()
        for i, node in enumerate(self.nodes[:2]):
            node.configure(settings={**self.settings(node), **SETTINGS, "p2p.persistent_peers": f'"{self.address(self.nodes[1 - i])}"'})
        for i, node in enumerate(self.nodes[2:]):
            libp2p.configure(node, [self.nodes[3 - i]], {**self.settings(node), **SETTINGS, "p2p.persistent_peers": '""'})

    def start(self):
        super().start()
        for node in self.nodes:
            node.wait(lambda node=node: node.height() >= 0, "an answer")

    def check(self):
        """One chain, signed by all."""
        height = min(self.heights()) - 1
        self.history(height)
        self.wait_all_sign(2)
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
    network = Divided(classic, lp2p, folder)
    try:
        height, recovered, messages = scenario(network, Path(program).resolve())
    except Failure:
        network.print_logs()
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
