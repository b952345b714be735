#!/usr/bin/env python3
"""reproduce.py URL FIRST LAST: the root over the heights FIRST to LAST of the chain that a node serves, by RFC 6962.

Standard library only. Checks that every header hashes to its block id and names the block below; `ledger-proof reproduce` checks the
signatures too, for which Python has no library of its own."""

import hashlib
import json
import sys
import urllib.request
from datetime import datetime, timezone

sha = lambda data: hashlib.sha256(data).digest()
raw = bytes.fromhex


def root(hashes):
    """RFC 6962: split at the largest power of two below the number of leaves."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return sha(b"\1" + root(hashes[:split]) + root(hashes[split:]))


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def number(field, n):
    return bytes([field << 3]) + varint(n & (1 << 64) - 1) if n else b""


def data(field, value):
    return bytes([field << 3 | 2]) + varint(len(value)) + value if value else b""


def time(text):
    seconds, _, nanos = text.removesuffix("Z").partition(".")
    since = datetime.fromisoformat(seconds).replace(tzinfo=timezone.utc) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return number(1, since.days * 86400 + since.seconds) + number(2, int(nanos.ljust(9, "0")) if nanos else 0)


def block_id(block):
    parts = number(1, int(block["parts"]["total"])) + data(2, raw(block["parts"]["hash"]))
    return data(1, raw(block["hash"])) + b"\x12" + varint(len(parts)) + parts


def header_hash(h):
    version = number(1, int(h["version"]["block"])) + number(2, int(h["version"].get("app", 0)))
    fields = [version, data(1, h["chain_id"].encode()), number(1, int(h["height"])), time(h["time"]), block_id(h["last_block_id"])]
    for name in ("last_commit", "data", "validators", "next_validators", "consensus", "app", "last_results", "evidence"):
        fields.append(data(1, raw(h[name + "_hash"])))
    return root([sha(b"\0" + field) for field in [*fields, data(1, raw(h["proposer_address"]))]])


def main(url, first, last):
    leaves, below = [], None
    for low in range(first, last + 1, 20):
        page = f"{url}/blockchain?minHeight={low}&maxHeight={min(low + 19, last)}"
        for meta in reversed(json.load(urllib.request.urlopen(page))["result"]["block_metas"]):
            height, block, header = first + len(leaves), meta["block_id"], meta["header"]
            assert int(header["height"]) == height, f"height {height} is missing"
            assert header_hash(header) == raw(block["hash"]), f"the header of height {height} is not its block's"
            assert below in (None, header["last_block_id"]), f"height {height} names another block below"
            total = int(block["parts"]["total"]).to_bytes(4, "big")
            leaves.append(sha(b"\0" + height.to_bytes(8, "big") + raw(block["hash"]) + total + raw(block["parts"]["hash"])))
            below = block
    print(f"size {len(leaves)}\nroot {root(leaves).hex()}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
