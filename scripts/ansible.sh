#!/usr/bin/env bash
# Lints the playbooks of deploy/ansible and runs them against four real validators on this machine. ansible-core and ansible-lint come from
# PyPI into the cache folder, once. What this machine lacks is skipped loudly.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
. "$ROOT/scripts/upstream.sh"

playbooks=$ROOT/deploy/ansible
tools=$CACHE/ansible

if ! have python3; then say "SKIPPED: the Ansible playbooks: Python 3 is needed"; exit 0; fi
if ! [ -x "$tools/bin/ansible-lint" ] || ! cmp -s "$playbooks/requirements.txt" "$tools/requirements.txt"; then
    say "fetching ansible-core and ansible-lint into $tools"
    rm -rf "$tools"
    if ! { python3 -m venv "$tools" && "$tools/bin/pip" install -q --disable-pip-version-check -r "$playbooks/requirements.txt"; }; then
        rm -rf "$tools"
        say "SKIPPED: the Ansible playbooks: neither lint nor run, ansible-core and ansible-lint cannot be fetched (python3-venv, network)"
        exit 0
    fi
    cp "$playbooks/requirements.txt" "$tools/requirements.txt"
fi
PATH=$tools/bin:$PATH
export ANSIBLE_HOME=$CACHE/ansible-home ANSIBLE_NOCOLOR=1 NO_COLOR=1 ANSIBLE_FORCE_COLOR=0

say "== lint"
(cd "$playbooks" && ansible-lint -q --nocolor -c .ansible-lint.yml .)
ansible-playbook --syntax-check -i "$playbooks/inventory.example.yml" "$playbooks"/{rollout,rollback,status,finalise}.yml -e stage=canary >/dev/null

if ! have go; then say "SKIPPED: a run of the playbooks: Go is needed for the validators"; exit 0; fi
say "== four validators"
build_node 0.38
build_programs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$upstream/fleet.py" "$programs/cometbft-0.38" "$work/network" "$CARGO_TARGET_DIR/debug/node-migrate" "$playbooks"
