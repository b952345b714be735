#!/usr/bin/env python3
"""move.py CLASSIC LIBP2P FOLDER NODE_MIGRATE: four validators move from the classic transport to libp2p, one at a time, and from goleveldb to
Pebble at the same time, while the network makes blocks.

CLASSIC is the node of v0.38, LIBP2P that of v0.39; FOLDER must not exist. All begin on the classic transport. Each is stopped, migrated,
given the other release and its transport, and started again; `node-migrate shim tunnel` joins it to those that have not moved. In the
end there is no tunnel and nobody on the classic transport."""

import sys
from pathlib import Path

import libp2p
from network import VALIDATORS
from node import Failure, own_config
from tool import Tool
from tunnel import SETTINGS, Joined

BEFORE = 12
AFTER = 6  # blocks after each move


class Moving(Joined):
    def __init__(self, classic, lp2p, folder, program):
        super().__init__(classic, folder)
        self.lp2p, self.program, self.tool = Path(lp2p).resolve(), program, Tool(program)

    def move(self, number):
        """Stops a validator and starts it again as a node of the other release, transport and engine; the others go on meanwhile."""
        node, others = self.nodes[number], [each for each in self.nodes if each is not self.nodes[number]]
        node.stop()
        height = max(each.height() for each in others)
        if not self.tool.migrate(node.home, "pebbledb"):
            raise Failure(f"{node.home.name} was in Pebble before")
        node.binary = str(self.lp2p)
        own_config(node, {**self.settings(node), "p2p.persistent_peers": '""'})
        libp2p.configure(node, self.nodes[:number], SETTINGS)
        others[0].wait_height(height + 1)
        node.start()

    def play(self):
        self.make(SETTINGS)
        self.start()
        self.run_to(BEFORE)
        blocks = self.history(BEFORE)
        for number in range(VALIDATORS):
            if number == VALIDATORS - 1:
                # The last one on the classic transport takes the tunnel's other end away.
                counts = self.tunnels[0].stop()[-1]["counts"]
            self.move(number)
            if number == 0:
                self.tunnel(self.program, VALIDATORS - 1, 0).start()
            height = max(each.height() for each in self.nodes if each is not self.nodes[number])
            self.run_to(height + AFTER)
            self.wait_all_sign(height + 1)
        height = min(self.heights())
        if self.history(height)[:BEFORE] != blocks:
            raise Failure("the old blocks are not what they were")
        return height, sum(count["messages"] for count in counts)


def main():
    classic, lp2p, folder, program = sys.argv[1:]
    network = Moving(classic, lp2p, folder, Path(program).resolve())
    try:
        height, messages = network.play()
    except Failure:
        network.print_logs()
        raise
    finally:
        network.stop()
    print(f"ok: {network.binary.name} to {network.lp2p.name}: four validators moved from classic to libp2p and from goleveldb to Pebble, one at a "
          f"time, while they made {height} blocks; {messages} messages through the tunnel")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
