#!/usr/bin/env python3
"""converted.py NODE_MIGRATE PROGRAMS HOME ORACLE FROM TO...: a converted home must be served by the other release as it was by its own.

Asks a node of release FROM on a copy of the home for everything it has at every height, then converts a copy for each release TO, starts
its node there and asks again. What differs by more than the spelling of the JSON is a failure. PROGRAMS holds `cometbft-RELEASE`."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import serve
from node import Failure, Node, own_config
from tool import Tool

METHODS = ("block", "commit", "validators", "block_results", "consensus_params")
TRANSACTIONS_MAX = 500
# Names that releases give to the same parts of the same answer.
RENAMED = {"Timestamp": "timestamp", "TotalVotingPower": "total_voting_power", "ValidatorPower": "validator_power"}
KEY_TYPES = {"tendermint/PubKeyEd25519": "ed25519", "tendermint/PubKeySecp256k1": "secp256k1"}


def plain(answer):
    """An answer without what only one release spells out: empty parts, the type beside a key, where parameters stand."""
    if isinstance(answer, list):
        return [plain(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    found = {RENAMED.get(name, name): plain(value) for name, value in answer.items()}
    if "consensus_params" in found or "consensus_param_updates" in found:
        name = "consensus_params" if "consensus_params" in found else "consensus_param_updates"
        found[name] = plain_params(found[name])
    if isinstance(key := found.get("pub_key"), dict):
        found["pub_key"] = plain_key(key)
    elif "pub_key_bytes" in found:
        found["pub_key"] = {"type": found.pop("pub_key_type"), "value": found.pop("pub_key_bytes")}
    return {name: value for name, value in found.items() if value not in (None, "", "0", 0, False, [], {})}


def plain_key(key):
    """The key of a validator, `{type, value}`, or of an update, `{Sum: {type, value: {name: bytes}}}` before v1.0."""
    if "Sum" in key:
        (name, value), = key["Sum"]["value"].items()
        return {"type": name, "value": value}
    return {"type": KEY_TYPES.get(key["type"], key["type"]), "value": key["value"]}


def plain_params(params):
    """Parameters with the height of vote extensions under one name. Synchrony means nothing while proposer-based time is off."""
    if not params:
        return params
    params = {name: value for name, value in params.items() if name not in ("synchrony", "authority")}
    feature, abci = params.pop("feature", {}), params.pop("abci", {})
    height = feature.get("vote_extensions_enable_height") or abci.get("vote_extensions_enable_height")
    if isinstance(height, dict):
        height = height.get("value")
    if feature.get("pbts_enable_height") not in (None, "0", {}):
        raise Failure(f"proposer-based time is on: {feature}")
    return {**params, **({"vote_extensions": height} if height else {})}


def answers(node, heights):
    """Everything that the node serves of these heights, by method and height, and the transactions of its index."""
    found = {(method, height): plain(node.call(method, height=str(height))) for height in heights for method in METHODS}
    listed = []
    while len(listed) < TRANSACTIONS_MAX:
        page = node.call("tx_search", query="tx.height>0", page=str(len(listed) // 100 + 1), per_page="100", order_by="asc")
        listed += page["txs"]
        if len(listed) >= int(page["total_count"]):
            break
    # The order inside of a height differs by release.
    found["tx_search", "all"] = {each["hash"]: plain(each) for each in listed[:TRANSACTIONS_MAX]}
    return found


def asked(node, oracle):
    """Starts the node and asks it."""
    node.start()
    try:
        serve.check(node, oracle)
        return answers(node, range(oracle["base"], oracle["state_height"] + 1))
    finally:
        node.stop()


def differences(before, after, place=()):
    """The innermost places where two answers differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            yield from differences(before.get(name), after.get(name), (*place, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after)):
            yield from differences(one, other, (*place, at))
    elif before != after:
        yield place, before, after


def is_hidden_by_v1(place, before, _):
    """v1.0 shows validator updates that an older release wrote without their keys; nothing else may be missing."""
    return before is None and place[0][0] == "block_results" and place[1] == "validator_updates" and place[3:] == ("pub_key",)


def converted(tool, home, programs, release, oracle, before):
    """Converts the home and holds what its new release serves against what the old one served."""
    tool.run("migrate", home, "--for", f"cometbft-{release}", "--execute")
    genesis = json.loads((home / "config/genesis.json").read_text())["consensus_params"]
    if release != "1.0" and genesis.keys() & {"synchrony", "feature"}:
        raise Failure(f"{home.name}: genesis.json still has {sorted(genesis)}")
    node = Node(programs / f"cometbft-{release}", home)
    own_config(node)
    after = asked(node, oracle)
    found = [each for each in sorted(differences(before, after), key=str) if not is_hidden_by_v1(*each)]
    if found := [f"{place}: {json.dumps(one)[:300]} before, {json.dumps(other)[:300]} after" for place, one, other in found]:
        raise Failure(f"{home.name}: {len(found)} differences in {len(before)} answers under {release}:\n" + "\n".join(found[:9]))


def main():
    program, programs, home, oracle_file, own, *releases = sys.argv[1:]
    tool, programs, home = Tool(program), Path(programs).resolve(), Path(home)
    oracle = json.loads(Path(oracle_file).read_text())
    with tempfile.TemporaryDirectory() as folder:
        copies = {release: Path(folder) / f"{home.name}-{release}" for release in releases}
        for copy in copies.values():
            shutil.copytree(home, copy, symlinks=True)
        node = Node(programs / f"cometbft-{own}", home)
        node.configure()
        before = asked(node, oracle)
        for release, copy in copies.items():
            converted(tool, copy, programs, release, oracle, before)
    print(f"ok: {home.name}: {len(before)} answers of {own}, heights {oracle['base']} to {oracle['state_height']}, are the same from "
          f"{' and '.join(releases)} on the converted home")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
