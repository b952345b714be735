"""node-migrate as an operator calls it: a program, its exit code, its JSON."""

import json
import subprocess

from node import Failure


class Tool:
    def __init__(self, program):
        self.program = str(program)

    def run(self, *arguments, expect=0):
        """Runs a command and returns its standard output; any exit code but the expected one is a failure."""
        command = [self.program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != expect:
            tail = (done.stdout + done.stderr)[-2000:]
            raise Failure(f"exit code {done.returncode} instead of {expect}: {' '.join(command)}\n{tail}")
        return done.stdout

    def digests(self, home):
        """The engine-independent digest of every database of a home, and its engine."""
        databases = json.loads(self.run("digest", home, "--json"))["databases"]
        return {each["dir"]: (each["keys"], each["sha256"]) for each in databases}, {each["dir"]: each["engine"] for each in databases}

    def migrate(self, home, engine):
        """Migrates a stopped home and holds the digests before against those after."""
        before, _ = self.digests(home)
        self.run("migrate", home, "--to", engine, "--execute")
        after, engines = self.digests(home)
        if before != after:
            raise Failure(f"{home}: digests differ:\nbefore {before}\nafter  {after}")
        return engines
