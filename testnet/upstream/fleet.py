#!/usr/bin/env python3
"""fleet.py BINARY FOLDER NODE_MIGRATE PLAYBOOKS: the Ansible playbooks on four real validators of this machine, while they make blocks.

Canary, fraction and rest go from goleveldb to Pebble one after another. Before that the fraction's node finds its new state damaged at its
first start: the play must end there, the node must be back on its old databases, and the rest untouched. A gate that is closed is shown, too."""

import json
import subprocess
import sys
from pathlib import Path

from node import Failure
from rollout import BEFORE, DAMAGE, PROCESS, VALIDATORS, Validators, hold_on, wanted

GROUPS = {"canary": [0], "fraction": [1], "rest": [2, 3]}


def start_script(network, number):
    """The start command of a node, as a file: Ansible runs no shell."""
    node = network.nodes[number]
    path = network.folder / f"start-node{number}"
    damage = f"{DAMAGE} {node.home}\n" if number == 1 else ""
    path.write_text(f"#!/bin/sh\nset -e\n{damage}exec {PROCESS} start {node.binary} {node.home}\n")
    path.chmod(0o755)
    return str(path)


class Fleet:
    def __init__(self, network, program, playbooks):
        self.playbooks, self.inventory = Path(playbooks), network.folder / "fleet.json"

        def host(number):
            node = network.nodes[number]
            return {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "node_home": str(node.home),
                    "node_start": start_script(network, number), "node_stop": f"{PROCESS} stop {node.home}",
                    "node_rpc": f"http://127.0.0.1:{node.rpc_port}"}

        children = {group: {"hosts": {f"node{number}": host(number) for number in numbers}} for group, numbers in GROUPS.items()}
        variables = {"node_format": "pebbledb", "node_migrate": str(program), "node_catch_up_seconds": 90}
        self.inventory.write_text(json.dumps({"fleet": {"children": children, "vars": variables}}))

    def play(self, book, *words, says=None):
        """Runs a playbook; with `says` it must fail, and say so."""
        extra = [word for each in words for word in ("-e", each)]
        command = ["ansible-playbook", "-i", self.inventory, self.playbooks / book, *extra]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, cwd=self.inventory.parent)
        said = done.stdout + done.stderr
        if (done.returncode == 0) != (says is None) or (says and says not in said):
            raise Failure(f"{book} {words}: exit code {done.returncode}, expected {says or 'success'}\n{said[-3000:]}")
        print(f"   {book} {' '.join(words)}: {'ok' if says is None else f'refused or failed as it must: {says}'}", flush=True)


def engines(network):
    lines = [(node.home / "config/config.toml").read_text() for node in network.nodes]
    return ["pebbledb" if 'db_backend = "pebbledb"' in text else "goleveldb" for text in lines]


def scenario(network, fleet):
    network.wait_all(BEFORE)
    before = network.history(BEFORE)
    fleet.play("status.yml")
    fleet.play("rollout.yml", says="say which stage")
    fleet.play("rollout.yml", "stage=fraction", "after=canary", says="node0 of stage canary is not in pebbledb")
    fleet.play("rollout.yml", "stage=canary")
    wanted("the engines", engines(network), ["pebbledb", "goleveldb", "goleveldb", "goleveldb"])
    fleet.play("rollout.yml", "stage=fraction", "after=canary", says="node1 failed")
    wanted("the engines", engines(network), ["pebbledb", "goleveldb", "goleveldb", "goleveldb"])
    before = hold_on(network, before)
    fleet.play("rollout.yml", "stage=fraction", "after=canary")
    fleet.play("rollout.yml", "stage=rest", "after=fraction")
    wanted("the engines", engines(network), ["pebbledb"] * VALIDATORS)
    fleet.play("rollback.yml", "stage=node3", says="stays on pebbledb")
    wanted("the engines", engines(network), ["pebbledb"] * VALIDATORS)
    fleet.play("finalise.yml", "stage=canary")
    fleet.play("status.yml")
    hold_on(network, before)


def main():
    binary, folder, program, playbooks = sys.argv[1:]
    network = Validators(binary, folder)
    try:
        network.begin()
        scenario(network, Fleet(network, Path(program).resolve(), Path(playbooks).resolve()))
    finally:
        network.end()
    print(f"ok: {Path(binary).name}: four validators went to pebbledb by the playbooks while they made blocks; the one whose new store was damaged "
          "was taken back, and the play ended there")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
