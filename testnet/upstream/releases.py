#!/usr/bin/env python3
"""releases.py PROGRAMS FOLDER NODE_MIGRATE OWN OTHER: a network of four that goes to another release and back must go on each time.

Makes a network of release OWN in FOLDER (which must not exist) with layout v2, vote extensions and a change of validators, converts every
home for release OTHER, lets it make blocks, converts the homes back with the new heights, and goes on. Every block must stay, every new
one must carry extended commits, and a node that knows nothing but the edited genesis file must be able to sync them all.
PROGRAMS holds `cometbft-RELEASE`."""

import shutil
import subprocess
import sys
from pathlib import Path

from network import POWER, Network
from node import Failure, Node, own_config
from tool import Tool, last_document

EXTENSIONS_FROM = 5
SESSIONS = (12, 30)  # before the first conversion
NEW_BLOCKS = 20  # after each
LAYOUT_V2 = {"storage.experimental_db_key_layout": '"v2"'}


class Scenario:
    def __init__(self, programs, folder, program, own):
        self.programs, self.tool = Path(programs).resolve(), Tool(program)
        self.network = Network(self.programs / f"cometbft-{own}", folder)
        self.height = 0

    def make(self):
        self.network.make(LAYOUT_V2)
        extensions = {"vote_extensions_enable_height": str(EXTENSIONS_FROM)}
        for node in self.network.nodes:
            self.network.edit_genesis(node, lambda genesis: genesis["consensus_params"]["feature"].update(extensions))

    def run_to(self, height):
        """Starts the network, changes the power of a validator, and returns all blocks."""
        self.network.start()
        for node in self.network.nodes[:2]:
            node.wait_height(self.height + 1)
        key = self.network.nodes[1].call("status")["validator_info"]["pub_key"]["value"]
        self.network.send_this(f"val=ed25519!{key}!{POWER + height % 7}")
        self.network.run_to(height)
        self.check_parameters(height)
        blocks = self.network.history(height)
        if self.height:
            self.network.wait_all_sign(self.height + 2)
        self.height = height
        return blocks

    def check_parameters(self, height):
        for node in self.network.nodes:
            params = node.call("consensus_params", height=str(height))["consensus_params"]
            place = params.get("feature") or params.get("abci") or {}
            if str(place.get("vote_extensions_enable_height")) != str(EXTENSIONS_FROM):
                raise Failure(f"{node.home.name}: vote extensions are not enabled from height {EXTENSIONS_FROM} on: {params}")

    def check_homes(self):
        """Every home must verify and hold an extended commit for every height since the first."""
        for node in self.network.nodes:
            report = last_document(self.tool.run("verify", node.home, "--live", "--json"))
            tip = report["heights"]["tip"]
            classes = next(each["classes"] for each in report["databases"] if each["name"] == "blockstore")
            found = classes.get("EC:", 0) + classes.get("0x84", 0)
            if found != tip + 1 - EXTENSIONS_FROM:
                raise Failure(f"{node.home.name}: {found} extended commits up to height {tip}, since {EXTENSIONS_FROM}")

    def convert(self, release):
        """All homes for another release, each with its own configuration file then."""
        self.network.binary = self.programs / f"cometbft-{release}"
        for node in self.network.nodes:
            self.tool.run("migrate", node.home, "--for", f"cometbft-{release}", "--execute")
            node.binary = str(self.network.binary)
            own_config(node, self.network.settings(node))
        self.check_homes()

    def syncs(self, release):
        """A new node with the genesis file of a converted home must get every block from the network."""
        node = Node(self.network.binary, self.network.folder / f"new-{release}")
        subprocess.run([node.binary, "init", "--home", node.home], check=True, capture_output=True)
        shutil.copy(self.network.nodes[0].home / "config/genesis.json", node.home / "config/genesis.json")
        own_config(node, self.network.settings(node))
        node.start()
        try:
            node.wait_height(self.height)
        finally:
            node.stop()

    def finalise(self):
        for node in self.network.nodes:
            # The new stores hold heights that the old ones lack: going back would lose them.
            self.tool.run("rollback", node.home, "--execute", expect=8)
            self.tool.run("finalise", node.home, "--execute")

    def play(self, own, other):
        self.make()
        for height in SESSIONS:
            blocks = self.run_to(height)
            self.network.stop()
        self.check_homes()
        for release in (other, own):
            self.convert(release)
            before, blocks = blocks, self.run_to(self.height + NEW_BLOCKS)
            if blocks[:len(before)] != before:
                raise Failure(f"the old blocks are not what they were under {release}")
            self.syncs(release)
            self.network.stop()
            self.check_homes()
            self.finalise()


def main():
    programs, folder, program, own, other = sys.argv[1:]
    scenario = Scenario(programs, folder, program, own)
    try:
        scenario.play(own, other)
    finally:
        scenario.network.stop()
    print(f"ok: four validators made blocks 1 to {SESSIONS[-1]} with {own}, to {SESSIONS[-1] + NEW_BLOCKS} with {other} and to {scenario.height} "
          f"with {own} again, all with vote extensions from {EXTENSIONS_FROM} on; a new node synced them under each")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
