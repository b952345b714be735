"""node-migrate as an operator calls it: a program, its exit code, its JSON."""

import json
import subprocess

from node import Failure


def last_document(text):
    """The last of the JSON documents in a command's output: those before it are progress."""
    decoder, at, document = json.JSONDecoder(), 0, None
    text = text.strip()
    while at < len(text):
        document, end = decoder.raw_decode(text, at)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return document


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
        databases = last_document(self.run("digest", home, "--json"))["databases"]
        return {each["dir"]: (each["keys"], each["sha256"]) for each in databases}, {each["dir"]: each["engine"] for each in databases}

    def migrate(self, home, engine):
        """Migrates a stopped home, holds the digests before against those after, and returns the databases that moved with their engines."""
        before, engines_before = self.digests(home)
        self.run("migrate", home, "--to", engine, "--execute")
        after, engines = self.digests(home)
        if before != after:
            raise Failure(f"{home}: digests differ:\nbefore {before}\nafter  {after}")
        return {each: engine for each, engine in engines.items() if engine != engines_before[each]}
