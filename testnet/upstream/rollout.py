#!/usr/bin/env python3
"""rollout.py BINARY FOLDER NODE_MIGRATE REPORT: four real validators go from goleveldb to Pebble by a staged rollout, while they make blocks.

Three networks in FOLDER (which must not exist), each under the same light load of transactions and changes of the validator set: one is left alone; one is rolled out in three stages; in
one the second stage's node finds its new state damaged at its first start: the rollout must halt and bring it back by itself, and go on to
its end when a person takes it up. REPORT (a folder) gets the reviews, and block time, missed signatures and sync rates by stage beside the
network that was left alone, as a table and as a picture."""

import base64
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import contention
from network import POWER, VALIDATORS, Network
from node import Failure, Node
from tool import Tool

PROCESS = Path(__file__).resolve().parent / "process.sh"
DAMAGE = Path(__file__).resolve().parent / "damage-once.sh"
BEFORE = 12  # blocks before a rollout begins
SET_CHANGE_EVERY = 50  # transactions
AFTER = 10  # blocks that must follow it
ALONE = 120  # blocks of the network that is left alone
STAGES = [("canary", 'nodes = ["node0"]'), ("fraction", 'nodes = ["node1"]'), ("all", "rest = true")]

HEAD = """name = "four validators to Pebble"
with_new_heights = "hold"

[format]
to = "pebbledb"
back = "goleveldb"

[network]
block_time_ms = 500

[jail]
window_blocks = 10000
missed_blocks_max = 9500

[limits]
power_margin_percent = 5
nodes_in_flight_max = 1
node_downtime_seconds_max = 300
command_seconds_max = 180
stage_seconds_max = 1800

[gates]
height_lag_blocks_max = 5
missed_blocks_max = 2000
errors_max = 200
disk_free_bytes_min = 100000000
attestation_interval_heights = 5
grace_seconds = 90
stall_seconds_max = 180
"""


class Detached(Node):
    """A node that a command starts and a command stops, as the plan says it."""

    def start(self):
        subprocess.run([PROCESS, "start", self.binary, self.home], check=True)

    def stop(self, how=None):
        if self.home.with_suffix(".pid").exists():
            subprocess.run([PROCESS, "stop", self.home], check=True)


class Validators(Network):
    """The network of network.py with such nodes, and a steady load."""

    def __init__(self, binary, folder):
        super().__init__(binary, folder)
        self.nodes = [Detached(node.binary, node.home, (node.rpc_port, node.p2p_port)) for node in self.nodes]
        self.ending = threading.Event()
        self.load = threading.Thread(target=self.feed, daemon=True)

    def begin(self):
        self.make()
        genesis = json.loads((self.nodes[0].home / "config/genesis.json").read_text())
        self.keys = [validator["pub_key"]["value"] for validator in genesis["validators"]]
        for node in self.nodes:
            config = node.home / "config/config.toml"
            text = config.read_text()
            for key, value in {"timeout_propose": "400ms", "timeout_commit": "250ms"}.items():
                text = "\n".join(f'{key} = "{value}"' if line.startswith(f"{key} =") else line for line in text.split("\n"))
            config.write_text(text)
        self.start()
        self.nodes[0].wait_height(2)
        self.load.start()

    def transaction(self):
        """The next one: seldom a change of the validator set, one power up or down again; else a value of some size."""
        change, rest = divmod(self.sent, SET_CHANGE_EVERY)
        if rest:
            return f"key{self.sent}={'v' * (self.sent * 97 % 3000 + 1)}"
        return f"val=ed25519!{self.keys[change // 2 % VALIDATORS]}!{POWER + 1 - change % 2}"

    def feed(self):
        """Ten transactions a second, to whichever node takes them."""
        while not self.ending.wait(0.1):
            self.sent += 1
            transaction = base64.b64encode(self.transaction().encode()).decode()
            for turn in range(VALIDATORS):
                try:
                    self.nodes[(self.sent + turn) % VALIDATORS].call("broadcast_tx_async", tx=transaction)
                    break
                except (OSError, Failure):
                    continue

    def end(self):
        self.ending.set()
        if self.load.is_alive():
            self.load.join()
        self.stop()

    def height(self):
        """The highest height that any node has."""
        heights = []
        for node in self.nodes:
            try:
                heights.append(node.height())
            except (OSError, Failure):
                continue
        return max(heights, default=0)

    def wait_all(self, height):
        for node in self.nodes:
            node.wait_height(height)

    def plan(self, first_start):
        """The plan's text; `first_start` is a command before the second node's start command."""
        text = HEAD
        for i, node in enumerate(self.nodes):
            before = first_start if i == 1 else ""
            text += f"""
[[node]]
name = "node{i}"
role = "validator"
power = {POWER}
failure_domain = "rack{i}"

[node.command]
home = "{node.home}"
rpc = "http://127.0.0.1:{node.rpc_port}"
start = "{before}{PROCESS} start {self.binary} {node.home}"
stop = "{PROCESS} stop {node.home}"
alive = "{PROCESS} alive {node.home}"
log = "{node.log}"
"""
        for name, members in STAGES:
            text += f'\n[[stage]]\nname = "{name}"\n{members}\npopulation_min = 1\nsoak_heights = 25\npromotion = "automatic"\n'
        return text


class Rollout:
    """`node-migrate rollout` over a network."""

    def __init__(self, network, program, first_start=""):
        self.network, self.tool = network, Tool(program)
        self.plan = network.folder / "rollout.toml"
        self.plan.write_text(network.plan(first_start))

    def run(self, *more, expect=0):
        command = [self.tool.program, "rollout", "run", str(self.plan), "--execute", "--poll-ms", "500", *more]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != expect:
            raise Failure(f"exit code {done.returncode} instead of {expect}: {' '.join(command)}\n{done.stdout[-2000:]}")

    def status(self):
        return json.loads(self.tool.run("rollout", "status", self.plan, "--json"))

    def facts(self):
        return json.loads(self.tool.run("rollout", "review", self.plan, "--json"))["facts"]

    def review(self, file):
        self.tool.run("rollout", "review", self.plan, "--out", file)

    def engines(self):
        """The engine that each node's configuration names."""
        found = []
        for node in self.network.nodes:
            lines = (node.home / "config/config.toml").read_text().splitlines()
            found.append(next(line.split('"')[1] for line in lines if line.startswith("db_backend =")))
        return found


def hold_on(network, before):
    """The network goes on, all nodes serve one chain that begins with what was there before, and all sign."""
    height = network.height()
    network.wait_all(height + AFTER)
    chain = network.history(height + AFTER)
    if chain[:len(before)] != before:
        raise Failure("the old blocks are not what they were")
    network.wait_all_sign(height + 2)
    return chain


def wanted(what, actual, expected):
    if actual != expected:
        raise Failure(f"{what}: {actual} instead of {expected}")


def alone(network):
    network.begin()
    network.wait_all(BEFORE + ALONE)
    return contention.chain(network.nodes[0], BEFORE, BEFORE + ALONE)


def rolled_out(network, program, report):
    network.begin()
    network.wait_all(BEFORE)
    before = network.history(BEFORE)
    rollout = Rollout(network, program)
    rollout.run()
    wanted("the rollout", rollout.status()["phase"], "complete")
    wanted("the engines", rollout.engines(), ["pebbledb"] * VALIDATORS)
    hold_on(network, before)
    rollout.review(report / "rollout.md")
    facts = rollout.facts()
    last = max(fact["fact"]["sample"]["to_height"] for fact in facts if fact["fact"]["kind"] == "sampled")
    return facts, contention.chain(network.nodes[0], BEFORE, last)


def with_fault(network, program, report):
    network.begin()
    network.wait_all(BEFORE)
    before = network.history(BEFORE)
    rollout = Rollout(network, program, f"{DAMAGE} {network.nodes[1].home} && ")
    rollout.run(expect=9)
    status = rollout.status()
    wanted("the rollout", status["phase"], "halted")
    if "node1 failed to start" not in status["halted"]:
        raise Failure(f"it halted for another reason: {status['halted']}")
    wanted("the engines", rollout.engines(), ["pebbledb", "goleveldb", "goleveldb", "goleveldb"])
    wanted("left to an operator", [node["name"] for node in status["nodes"] if node["held"]], [])
    after = hold_on(network, before)
    rollout.review(report / "halted.md")
    rollout.run("--resume", "the damaged disk of node1 is replaced", "--by", "the test")
    wanted("the rollout", rollout.status()["phase"], "complete")
    wanted("the engines", rollout.engines(), ["pebbledb"] * VALIDATORS)
    hold_on(network, after)
    rollout.review(report / "resumed.md")


def on(binary, folder, name, scenario, *arguments):
    """One scenario on a network of its own."""
    began = time.monotonic()
    network = Validators(binary, folder / name)
    try:
        result = scenario(network, *arguments)
    finally:
        network.end()
    print(f"   {name}: ok, {time.monotonic() - began:.0f} s", flush=True)
    return result


def main():
    binary, folder, program, report = sys.argv[1:]
    folder, report = Path(folder).resolve(), Path(report).resolve()
    folder.mkdir()
    report.mkdir(parents=True, exist_ok=True)
    quiet = on(binary, folder, "alone", alone)
    facts, busy = on(binary, folder, "rolled-out", rolled_out, program, report)
    table = contention.write(report, quiet, busy, facts)
    print(table, flush=True)
    on(binary, folder, "with-fault", with_fault, program, report)
    print(f"ok: {Path(binary).name}: four validators went to pebbledb in {len(STAGES)} stages while they made blocks; with a node whose new "
          f"store was damaged the rollout halted, went back by itself, and was taken up again; reports are in {report}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
