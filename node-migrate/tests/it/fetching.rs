//! Blocks from nodes in the network: a damaged home is repaired from a node that serves the chain in another format.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use ledger_formats::comet::key::BlockKey;
use ledger_formats::engine::EngineKind;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::fixture::Fixture;
use crate::mending::{key, pair, rewrite, rows};
use crate::program::{Ended, command, digests, run, text, tree};
use crate::served::Served;

const LOOPBACK: &str = "127.0.0.1:0";

/// Hurts ten blocks in ways that leave the table's checksums valid, and every seen commit as it is.
pub fn hurt(home: &Path) {
    rewrite(home, |rows| {
        let mut flip = |wanted: BlockKey, from_end: usize| {
            let wanted = key(&wanted);
            let (_, value) = rows.iter_mut().find(|(key, _)| *key == wanted).expect("the row is there");
            let at = value.len() - from_end;
            value[at] ^= 1;
        };
        for height in [3, 4, 7, 9, 11] {
            flip(BlockKey::Part { height, part: 0 }, 40);
        }
        flip(BlockKey::Meta { height: 12 }, 30);
        flip(BlockKey::Commit { height: 17 }, 20);
        flip(BlockKey::Meta { height: 20 }, 30);
        let gone = [key(&BlockKey::Meta { height: 15 }), key(&BlockKey::Part { height: 16, part: 0 })];
        rows.retain(|(key, _)| !gone.contains(key));
    });
}

/// Seconds for a peer on a machine that is busy.
pub const PATIENCE: &str = "120";
const HURT: [u64; 10] = [3, 4, 7, 9, 11, 12, 15, 16, 17, 20];

/// Repairs a home from these peers; what the program said.
pub fn repair(home: &Path, from: &[&str]) -> Ended {
    let mut arguments =
        vec!["run", text(home), "--to", "pebbledb", "--on-corrupt", "repair", "--patience", PATIENCE, "--execute"];
    from.iter().for_each(|peer| arguments.extend(["--from", peer]));
    run(&arguments)
}

/// A home with ten damaged blocks is repaired from `peer` over `protocol`, and is then what the undamaged home is.
fn is_repaired(home: &Path, good: &Path, peer: &str, protocol: &str) {
    hurt(home);
    run(&["verify", text(home)]).failed(6, "FINDING");
    let ended = repair(home, &[peer]).ok();
    for height in HURT {
        let line = ended.err.lines().find(|line| line.contains(&format!("block {height} repaired from ")));
        let line = line.unwrap_or_else(|| panic!("{height}: {}", ended.err));
        assert!(line.contains(protocol) && line.contains("node-migrate"), "{line}");
    }
    run(&["verify", text(home)]).ok();
    run(&["cutover", text(home), "--execute"]).ok();
    assert_eq!(digests(home), digests(good));
    let receipt = run(&["receipt", text(home)]).ok();
    assert!(receipt.out.contains("block 15") && receipt.out.contains(protocol), "{}", receipt.out);
}

#[test]
fn a_home_is_repaired_over_the_classic_protocol() {
    let (fixture, peer) = pair();
    let mut served = Served::start(&peer.home(), &["--classic", LOOPBACK]);
    is_repaired(&fixture.home(), &peer.home(), &served.classic(), "over the classic peer protocol");
}

#[test]
fn a_home_is_repaired_over_the_libp2p_of_cometbft() {
    let (fixture, peer) = pair();
    let mut served = Served::start(&peer.home(), &["--lp2p", LOOPBACK]);
    is_repaired(&fixture.home(), &peer.home(), &served.lp2p(), "over CometBFT's libp2p");
}

#[test]
fn a_home_is_repaired_over_parts_with_proofs() {
    let (fixture, peer) = pair();
    let mut served = Served::start(&peer.home(), &["--own", LOOPBACK]);
    is_repaired(&fixture.home(), &peer.home(), &served.own(), "over blocks/2");
}

#[test]
fn a_home_is_repaired_over_whole_blocks_where_the_peer_speaks_nothing_newer() {
    let (fixture, peer) = pair();
    let mut served = Served::start(&peer.home(), &["--own", LOOPBACK, "--versions", "1"]);
    is_repaired(&fixture.home(), &peer.home(), &served.own_as_libp2p(), "over blocks/1");
}

#[test]
fn a_home_that_keeps_its_engine_has_its_block_store_written_anew_and_nothing_else() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    hurt(&home);
    let mut served = Served::start(&peer.home(), &["--classic", LOOPBACK]);
    let before = tree(&home.join("data/state.db"));
    let classic = served.classic();
    let repair = ["run", text(&home), "--on-corrupt", "repair", "--patience", PATIENCE, "--from", &classic];
    let plan = run(&repair).ok();
    assert!(plan.out.contains("state (goleveldb) stays") && plan.out.contains("blockstore"), "{}", plan.out);
    run(&[&repair[..], &["--execute"]].concat()).ok();
    run(&["verify", text(&home)]).ok();
    run(&["cutover", text(&home), "--execute"]).ok();
    assert_eq!(tree(&home.join("data/state.db")), before);
    assert_eq!(digests(&home)["blockstore.db"], digests(&peer.home())["blockstore.db"]);
    run(&["verify", text(&home), "--live"]).ok();
}

#[test]
fn an_interrupt_ends_a_fetch_at_once() {
    let (fixture, _) = pair();
    let home = fixture.home();
    // Somebody who takes connections and says nothing.
    let silent = std::net::TcpListener::bind(LOOPBACK).expect("listens");
    let peer = format!("9c2e7c7163686b5d05fc84a8f2697bb6cc9d1d63@{}", silent.local_addr().expect("listens"));
    let arguments = ["fetch", "--home", text(&home), "--from", &peer, "--heights", "5"];
    let mut child = command(&arguments).stderr(Stdio::piped()).spawn().expect("the program runs");
    let _connected = silent.accept().expect("it dials");
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).expect("is there");
    let code = child.wait().expect("ends").code();
    assert_eq!(code, Some(130));
}

/// Removes every row of some heights, as a lost table does.
fn lose(home: &Path, lost: std::ops::RangeInclusive<u64>) {
    rewrite(home, |rows| {
        let of = |height| {
            let parts = (0..4).map(move |part| BlockKey::Part { height, part });
            let others = [BlockKey::Meta { height }, BlockKey::Commit { height }, BlockKey::SeenCommit { height }];
            others.into_iter().chain(parts).map(|each| key(&each))
        };
        let gone: Vec<_> = lost.clone().flat_map(of).collect();
        rows.retain(|(key, _)| !gone.contains(key));
    });
}

/// The rows of the block store but seen commits, which each node has of its own.
fn shared_rows(home: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let all = rows(&home.join("data/blockstore.db"), EngineKind::Pebble);
    all.into_iter().filter(|(key, _)| !key.starts_with(b"SC:")).collect()
}

#[test]
fn heights_that_were_lost_whole_are_proven_from_the_top_down() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    let other = Fixture::unpack("cometbft-0.38-goleveldb");
    let mut served = Served::start(&peer.home(), &["--classic", LOOPBACK, "--own", LOOPBACK]);
    for (home, from) in [(home, served.classic()), (other.home(), served.own())] {
        lose(&home, 40..=139);
        repair(&home, &[&from]).ok();
        run(&["verify", text(&home)]).ok();
        run(&["cutover", text(&home), "--execute"]).ok();
        assert!(shared_rows(&home) == shared_rows(&peer.home()), "{from}");
    }
}

#[test]
fn fetched_blocks_are_written_for_an_auditor_and_a_repair_without_a_network() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    hurt(&home);
    let before = tree(&home);
    let mut served = Served::start(&peer.home(), &["--classic", LOOPBACK]);
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().join("blocks");
    let classic = served.classic();
    let fetch = ["fetch", "--home", text(&home), "--from", &classic, "--patience", PATIENCE, "--heights"];
    let all = run(&[&fetch[..], &["2..21", "--out", text(&folder), "--json"]].concat()).ok();
    let report: Value = all.out.lines().last().map(serde_json::from_str).expect("a line").expect("is JSON");
    let counts = ["brought", "missing", "damaged_here"].map(|name| report[name].as_u64().expect("a number"));
    assert_eq!(counts, [20, 0, 10], "{report}");
    let oracle = fixture.oracle();
    for block in oracle["blocks"]
        .as_array()
        .expect("blocks")
        .iter()
        .filter(|it| (2..=21).contains(&it["height"].as_u64().unwrap_or(0)))
    {
        let height = block["height"].as_u64().expect("a height");
        let line = &report["heights"].as_array().expect("lines")[usize::try_from(height - 2).expect("small")];
        assert_eq!(line["brought"]["hash"], block["hash"], "{line}");
        assert_eq!(line["damage"].is_string(), HURT.contains(&height), "{line}");
        let bytes = fs::read(folder.join(format!("{height}.block"))).expect("is there");
        assert_eq!(bytes.len() as u64, block["size"].as_u64().expect("a size"));
    }
    assert_eq!(tree(&home), before, "nothing in the home changes");
    drop(served);
    let ended = repair(&home, &[text(&folder)]).ok();
    assert!(ended.err.contains("block 15 repaired from the folder"), "{}", ended.err);
    assert!(ended.err.contains("over the classic peer protocol"), "who brought it stays known: {}", ended.err);
    run(&["verify", text(&home)]).ok();
}

#[test]
fn what_cannot_be_fetched_is_said_with_the_remedy() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    let peer = peer.home();
    let fetch = |heights: &str| run(&["fetch", "--home", text(&home), "--from", text(&peer), "--heights", heights]);
    let ended = fetch("5..9").ok();
    assert!(ended.out.contains("5 blocks fetched and proven") && ended.out.contains("5 are sound"), "{}", ended.out);
    let ended = fetch("5..99999").failed(2, "heights 5 to 99999 are asked for, and this home holds 1 to ");
    assert!(ended.err.contains("what to do:"), "{}", ended.err);
    fetch("9..5").failed(2, "the first height is above the last");
    run(&["fetch", "--home", text(&home), "--from", "nobody@nowhere", "--heights", "1"]).failed(2, "is no node");
    // A peer that is not there costs its patience and no more; the next one has the blocks.
    lose(&home, 8..=8);
    let nobody = "9c2e7c7163686b5d05fc84a8f2697bb6cc9d1d63@127.0.0.1:1";
    let from = ["--from", nobody, "--from", text(&peer)];
    let only = ["fetch", "--home", text(&home), "--heights", "5..9", "--damaged"];
    let ended = run(&[&only[..], &from].concat()).ok();
    assert!(ended.out.contains("1 blocks fetched and proven"), "{}", ended.out);
    run(&[&only[..], &from[..2], &["--patience", "2"]].concat())
        .failed(10, "1 of 1 blocks could not be had, the first of height 8");
}
