#!/usr/bin/env python3
"""guard.py BINARY NODE_MIGRATE HOME ORACLE TARGET: a cut-over that is cut short anywhere must not let the node start on a mixture.

Ends the cut-over at each of its durable steps on a fresh copy of the home and starts the real node there. While the start guard is on,
the node must refuse and leave the databases that it governs alone; else it must serve the whole chain. Then the cut-over is given again
and the node must serve."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import serve
from node import Failure, Node
from tool import Tool

GUARD = "node-migrate-cut-over-in-progress"


class Trial:
    """A home that is ready for its cut-over, set up again and again at the same path: the journal names paths."""

    def __init__(self, binary, program, home, oracle, target, folder):
        self.binary, self.tool, self.oracle = binary, Tool(program), oracle
        self.home, self.template, self.folder = home, folder / "template", folder
        node = Node(binary, home)
        node.configure()
        self.ports = node.rpc_port, node.p2p_port
        _, before = self.tool.digests(home)
        self.tool.run("run", home, "--to", target, "--execute")
        self.tool.run("verify", home)
        shutil.move(home, self.template)
        self.reset()
        self.steps = self.count_steps()
        _, after = self.tool.digests(home)
        self.governed = [name for name in before if before[name] != after[name]]

    def reset(self):
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.template, self.home, symlinks=True)

    def cut_over(self, fault=None):
        environment = {**os.environ, **({"NODE_MIGRATE_FAULT": fault} if fault else {})}
        command = [self.tool.program, "cutover", self.home, "--execute"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        return done.returncode, done.stdout + done.stderr

    def count_steps(self):
        count = self.folder / "count"
        code, said = self.cut_over(f"count@{count}")
        if code:
            raise Failure(f"the cut-over fails without a fault:\n{said}")
        return int(count.read_text())

    def content(self, home):
        files = [path for name in self.governed for path in sorted((home / "data" / name).rglob("*")) if path.is_file()]
        return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def serves(self, home):
        node = Node(self.binary, home, self.ports)
        node.start()
        try:
            serve.check(node, self.oracle)
        finally:
            node.stop()

    def refuses(self, home):
        before = self.content(home)
        try:
            self.serves(home)
        except Failure as failure:
            if f"unknown db_backend {GUARD}" not in str(failure):
                raise
        else:
            raise Failure("the node starts although the start guard is on")
        if self.content(home) != before:
            raise Failure("the refused node has changed databases")

    def cut_short(self, step):
        """One trial; true when the start guard was on."""
        self.reset()
        code, said = self.cut_over(f"crash@{step}")
        if code >= 0:
            raise Failure(f"the program was not ended: exit code {code}\n{said}")
        guarded = GUARD in (self.home / "config/config.toml").read_text()
        if guarded:
            self.refuses(self.home)
        else:
            # A node that starts goes on with its chain, so it gets a copy.
            copy = self.folder / "copy"
            shutil.copytree(self.home, copy, symlinks=True)
            self.serves(copy)
            shutil.rmtree(copy)
        code, said = self.cut_over()
        # Cut short after its last step, the cut-over is over: the second one has nothing to do and says so (8).
        if code not in (0, 8):
            raise Failure(f"the second cut-over ends with {code}\n{said}")
        self.serves(self.home)
        _, engines = self.tool.digests(self.home)
        return guarded, engines


def main():
    binary, program, home, oracle_file, target = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(binary, program, Path(home), json.loads(Path(oracle_file).read_text()), target, Path(folder))
        _, wanted = trial.tool.digests(trial.home)
        guarded = 0
        for step in range(1, trial.steps + 1):
            try:
                refused, engines = trial.cut_short(step)
                if engines != wanted:
                    raise Failure(f"the engines are {engines} instead of {wanted}")
            except Failure as failure:
                raise Failure(f"cut short at step {step} of {trial.steps}: {failure}") from failure
            guarded += refused
    if not guarded:
        raise Failure("the start guard was never met: the trial proves nothing")
    print(f"ok: {Path(home).name}: cut short at each of {trial.steps} steps to {target}: the node refused while the start guard was on "
          f"({guarded} times), served the chain otherwise, and served it after every resumption")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
