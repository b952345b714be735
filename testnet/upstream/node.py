"""One real node: a process, its configuration and its RPC. Nothing here knows about migrations."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

# Limits, not expectations: a busy machine is no failure.
START_SECONDS = 240
STOP_SECONDS = 90


class Failure(Exception):
    """A check that did not hold; its text is for the operator."""


# Below those that systems take for outgoing connections, so that a port stays free while its node is down; from another place in each
# process, so that networks can be made side by side.
PORTS = iter(range(10_000 + os.getpid() % 340 * 64, 65_536))


def free_ports(count):
    """Ports that nobody listens on now, each given once."""
    found = []
    while len(found) < count:
        with socket.socket() as probe:
            port = next(PORTS)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
    return found


def edit_config(path, values):
    """Sets `section.key` (top level: `.key`) to a TOML literal, line by line, so that comments stay. Keys that are not there are left out."""
    section, lines = "", []
    for line in path.read_text().splitlines():
        if header := re.match(r"\[([^\]]+)\]", line):
            section = header[1]
        elif setting := re.match(r"([A-Za-z0-9_-]+)\s*=", line):
            if (value := values.get(f"{section}.{setting[1]}")) is not None:
                line = f"{setting[1]} = {value}"
        lines.append(line)
    path.write_text("\n".join(lines) + "\n")


def own_config(node, settings=None):
    """Gives the home of a node the configuration file of its release, as an operator does after a conversion, and keeps what node-migrate
    set in the old one. The example application's database, which has the dialect of its release too, is built anew from the blocks."""
    config = node.home / "config/config.toml"
    backend = re.search(r'^db_backend = "(\w+)"$', config.read_text(), re.M)[1]
    with tempfile.TemporaryDirectory() as fresh:
        subprocess.run([node.binary, "init", "--home", fresh], check=True, capture_output=True)
        shutil.copy(Path(fresh) / "config/config.toml", config)
    node.configure(settings={
        ".db_backend": f'"{backend}"', ".proxy_app": '"persistent_kvstore"', "tx_index.indexer": '"kv"', **(settings or {})})
    shutil.rmtree(node.home / "data/kvstore.db", ignore_errors=True)


class Node:
    """A node on `home`, run by `binary`, reachable on this machine only."""

    def __init__(self, binary, home, ports=None):
        self.binary, self.home = str(binary), Path(home).resolve()
        self.rpc_port, self.p2p_port = ports or free_ports(2)
        self.process = None
        self.log = self.home.parent / f"{self.home.name}.log"

    def configure(self, **more):
        edit_config(self.home / "config/config.toml", {
            "rpc.laddr": f'"tcp://127.0.0.1:{self.rpc_port}"', "p2p.laddr": f'"tcp://127.0.0.1:{self.p2p_port}"',
            "rpc.pprof_laddr": '""', "p2p.persistent_peers": '""', "p2p.pex": "false", "p2p.addr_book_strict": "false",
            "p2p.allow_duplicate_ip": "true", ".log_level": '"error"', **more.get("settings", {})})

    def start(self):
        # RocksDB writes its own log files by the path it was opened with, so the path is kept short and relative.
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "start", "--home", self.home.name], cwd=self.home.parent, stdout=log, stderr=log,
                env={**os.environ, "HOME": str(self.home.parent), "GOMAXPROCS": "1"})

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"{self.home.name} did not stop within {STOP_SECONDS} s") from None
        finally:
            self.process = None

    def call(self, method, **parameters):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.rpc_port}/", data=body,
                                         headers={"Content-Type": "application/json"})
        # Never by a proxy that the environment names: the node is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            answer = json.load(opener.open(request, timeout=10))
        except urllib.error.HTTPError as error:
            answer = json.load(error)
        if "result" not in answer:
            raise Failure(f"{self.home.name}: {method} {str(parameters)[:100]}: {answer.get('error')}")
        return answer["result"]

    def height(self):
        return int(self.call("status")["sync_info"]["latest_block_height"])

    def block_hash(self, height):
        return self.call("block", height=str(height))["block_id"]["hash"].lower()

    def wait(self, condition, what, seconds=START_SECONDS):
        """Asks until `condition()` is true; the RPC may not be up yet. A node that exits meanwhile is a failure."""
        end, last = time.monotonic() + seconds, None
        while time.monotonic() < end:
            if self.process and (code := self.process.poll()) is not None:
                self.process = None
                raise Failure(f"{self.home.name} exited with {code} while waiting for {what}:\n{self.last_words()}")
            try:
                if condition():
                    return
            except (OSError, Failure) as error:
                last = error
            time.sleep(0.1)
        raise Failure(f"{self.home.name}: no {what} within {seconds} s ({last}):\n{self.last_words()}")

    def wait_height(self, height, seconds=START_SECONDS):
        self.wait(lambda: self.height() >= height, f"height {height}", seconds)

    def last_words(self):
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(line[:400] for line in lines[-8:])
