#!/usr/bin/env python3
"""fetch.py WAY BINARY HOME PROGRAM: a home with a broken table is repaired with the blocks of a real node, which serves the same chain.

WAY is `classic` or `libp2p`, the protocol of the node. The node runs on HOME, which is changed by that, as by any start of a node; PROGRAM is
node-migrate."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import libp2p
from node import Failure, Node
from tool import Tool, last_document


def broken(home):
    """A copy of a home in which a bit of its largest table of blocks is flipped."""
    copy = home.parent / f"{home.name}-broken"
    shutil.copytree(home, copy)
    tables = sorted((copy / "data/blockstore.db").glob("*.ldb"), key=lambda path: path.stat().st_size)
    table = bytearray(tables[-1].read_bytes())
    table[len(table) // 2] ^= 0x10
    tables[-1].write_bytes(table)
    return copy


def address(way, node):
    if way == "libp2p":
        return libp2p.address(node)
    show = [node.binary, "show-node-id", "--home", str(node.home)]
    return f"{subprocess.run(show, check=True, capture_output=True, text=True).stdout.strip()}@127.0.0.1:{node.p2p_port}"


def scenario(way, node, home, tool):
    peer, tip = address(way, node), node.height()
    heights = f"{max(1, tip - 20)}..{tip - 1}"
    report = last_document(tool.run("fetch", "--home", home, "--from", peer, "--heights", heights, "--json"))
    asked = report["last"] - report["first"] + 1
    if report["brought"] != asked or any(line["brought"]["hash"] != node.block_hash(line["height"]) for line in report["heights"]):
        raise Failure(f"not all of the node's blocks {heights} were fetched and proven: {json.dumps(report)[:2000]}")
    tool.run("run", home, "--on-corrupt", "repair", "--from", peer, "--execute")
    tool.run("verify", home)
    tool.run("cutover", home, "--execute")
    tool.run("verify", home, "--live")
    repaired = tool.run("receipt", home).count("repaired from")
    if repaired == 0:
        raise Failure("nothing was repaired")
    return asked, repaired


def main():
    way, binary, home, program = sys.argv[1:]
    home = Path(home).resolve()
    copy, node = broken(home), Node(Path(binary).resolve(), home)
    if way == "libp2p":
        libp2p.configure(node, [], {})
    else:
        node.configure()
    node.start()
    try:
        node.wait_height(2)
        fetched, repaired = scenario(way, node, copy, Tool(program))
    finally:
        node.stop()
    print(f"ok: {home.name}: {fetched} blocks of {Path(binary).name} proven, {repaired} damaged ones repaired from it ({way})")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
