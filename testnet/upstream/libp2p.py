"""Nodes that speak libp2p (v0.39 and v0.40): their configuration and their ids."""

import base64
import json
import re

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def peer_id(home):
    """The libp2p peer id of a home's node key: the identity multihash of the public key's protobuf form."""
    key = json.loads((home / "config/node_key.json").read_text())["priv_key"]
    public = base64.b64decode(key["value"])[32:]
    return base58(bytes.fromhex("002408011220") + public)


def address(node):
    """`host:port@peerid` of a node."""
    return f"127.0.0.1:{node.p2p_port}@{peer_id(node.home)}"


def configure(node, peers, settings):
    """Sets a node up for libp2p, with nodes that it dials. Its ordinary settings go the ordinary way.

    A home of v0.38 has no section `[p2p.libp2p]`; v0.39 writes one in which `bootstrap_peers = []` is glued to the end of a comment."""
    node.configure(settings=settings)
    entries = ", ".join(f'{{ host = "127.0.0.1:{each.p2p_port}", id = "{peer_id(each.home)}", persistent = true }}' for each in peers)
    config = node.home / "config/config.toml"
    section = f"[p2p.libp2p]\nenabled = true\nbootstrap_peers = [{entries}]\n\n"
    text, count = re.subn(r"(?s)^\[p2p\.libp2p\]\n.*?(?=^\[)", lambda _: section, config.read_text(), flags=re.M)
    config.write_text(text if count else f"{text}\n{section}")
