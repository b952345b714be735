//! What a shim tells of itself and of others: `shim status`, `/metrics`, and `shim explain`, by the real program over real connections.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::fixture::Fixture;
use crate::mending::pair;
use crate::program::{run, text};
use crate::served::Served;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A shim over a home, with a monitor, and where that answers.
fn watched(fixture: &Fixture) -> (Served, String) {
    let home = fixture.home();
    let mut served =
        Served::start(&home, &["--classic", "127.0.0.1:0", "--lp2p", "127.0.0.1:0", "--monitor", "127.0.0.1:0"]);
    let line = served.line(|line| line["event"] == "monitor");
    (served, line["address"].as_str().expect("an address").to_owned())
}

/// The answer to a raw request, status line and all.
fn asked(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.write_all(request).expect("is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("is text");
    answer
}

#[test]
fn a_running_shim_tells_its_heights_and_what_came_of_connections() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let (mut served, address) = watched(&fixture);
    let status = run(&["--json", "shim", "status", &address]).ok().json();
    assert_eq!((&status["command"], &status["chain_id"]), (&"serve".into(), &"fx-038".into()));
    assert_eq!((status["offer"]["base"].as_u64(), status["offer"]["top"].as_u64()), (Some(1), Some(240)));
    assert_eq!(status["peers"].as_array().map(Vec::len), Some(0));
    run(&["shim", "explain", &served.classic(), "--home", text(&fixture.home())]).ok();
    served.line(|line| line["event"] == "closed");
    let metrics = asked(&address, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(metrics.contains("\nnode_migrate_shim_offer_top_height 240\n"), "{metrics}");
    assert!(metrics.contains("\nnode_migrate_shim_peers 0\n"), "{metrics}");
    let connected = |line: &&str| line.contains("protocol=\"classic\"") && line.contains("outcome=\"connected\"");
    let counted = metrics.lines().find(connected).expect("a connection was counted");
    assert!(counted.contains("agent=\"node-migrate-") && counted.ends_with(" 1"), "{counted}");
}

#[test]
fn peers_of_our_own_protocols_are_told_with_where_they_stand() {
    const LOOPBACK: &str = "127.0.0.1:0";
    let (one, other) = pair();
    let mut listens = Served::start(&one.home(), &["--own", LOOPBACK, "--monitor", LOOPBACK]);
    let monitor = listens.line(|line| line["event"] == "monitor")["address"].as_str().expect("an address").to_owned();
    let address = listens.own();
    let _dials = Served::start(&other.home(), &["--own", LOOPBACK, "--own-peer", &address, "--versions", "2"]);
    let top = other.oracle()["height"].as_u64().expect("a height");
    let end = Instant::now() + PATIENCE;
    loop {
        let status = run(&["--json", "shim", "status", &monitor]).ok().json();
        let peers = status["peers"].as_array().expect("peers");
        if let [peer] = &peers[..]
            && peer["offer"]["top"].as_u64() == Some(top)
            && peer["outcome"]["fetch"] == "blocks/2"
        {
            assert_eq!((&peer["transport"], &peer["storage"]), (&"own".into(), &"cut over".into()), "{peer}");
            assert!(peer["agent"].as_str().is_some_and(|agent| agent.starts_with("node-migrate/")), "{peer}");
            let metrics = asked(&monitor, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
            assert!(metrics.contains("\nnode_migrate_shim_peers 1\n"), "{metrics}");
            return;
        }
        assert!(Instant::now() < end, "{status:#}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_a_shim_of_our_own_protocols_agrees_to_is_explained() {
    let (one, other) = pair();
    let mut served = Served::start(&one.home(), &["--own", "127.0.0.1:0", "--versions", "2", "--attest-every", "50"]);
    let address = served.own();
    let explain = |more: &[&str]| run(&[&["--json", "shim", "explain", &address], more].concat());
    let home = other.home();
    let end = Instant::now() + PATIENCE;
    let agreed = loop {
        let agreed = explain(&["--home", text(&home)]).ok().json();
        assert_eq!((&agreed["taken"], &agreed["transport"]), (&true.into(), &"own".into()), "{agreed}");
        if !agreed["offer"].is_null() {
            break agreed;
        }
        // It tells where it stands a moment after it has verified its blocks.
        assert!(agreed["outcome"]["fetch"].as_str().is_some_and(|fetch| fetch.starts_with("nothing: ")), "{agreed}");
        assert!(Instant::now() < end, "{agreed}");
    };
    assert_eq!((&agreed["storage"], &agreed["tip"]), (&"old".into(), &one.oracle()["height"]), "{agreed}");
    let expected =
        serde_json::json!({ "fetch": "blocks/2", "serve": "blocks/2", "disputed": null, "attest_every": 50 });
    assert_eq!(agreed["outcome"], expected, "{agreed}");
    // Both sides say why not, and what to do.
    let reason = "no common version of the block exchange";
    explain(&["--home", text(&home), "--versions", "1"]).failed(10, reason);
    let told = served.line(|line| line["event"] == "incompatible");
    assert!(told["what"].as_str().is_some_and(|what| what.contains(reason)), "{told}");
    explain(&["--home", text(&home), "--time-rule", "v0.40"]).failed(10, "rule");
    let stranger = Fixture::unpack("cometbft-0.37-goleveldb");
    explain(&["--home", text(&stranger.home())]).failed(10, "fx-037");
    explain(&[]).failed(2, "give --home");
    explain(&["--home", text(&home), "--versions", "7"]).failed(2, "no version 7");
    drop(served);
    explain(&["--home", text(&home)]).failed(10, "cannot be reached");
}

#[test]
fn the_monitor_answers_nothing_else_and_survives_nonsense() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb-onelog");
    let (_served, address) = watched(&fixture);
    assert!(asked(&address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 404"));
    assert!(
        asked(&address, b"POST /status HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").starts_with("HTTP/1.1 405")
    );
    assert!(!asked(&address, b"\x16\x03\x01 not HTTP at all\r\n\r\n").contains("200"));
    // Twice as many silent connections as are answered at a time: those that ask wait, and are answered.
    let _silent: Vec<TcpStream> = (0..16).map(|_| TcpStream::connect(&address).expect("connects")).collect();
    let is_answered = || run(&["shim", "status", &address]).code == 0;
    assert!((0..10).any(|_| is_answered()));
}

#[test]
fn a_node_that_refuses_is_explained() {
    let (fixture, other) =
        (Fixture::unpack("cometbft-0.38-goleveldb-onelog"), Fixture::unpack("cometbft-0.37-goleveldb"));
    let (mut served, _) = watched(&fixture);
    let (classic, lp2p) = (served.classic(), served.lp2p());
    let taken = run(&["--json", "shim", "explain", &classic, "--home", text(&fixture.home())]).ok().json();
    assert_eq!((&taken["taken"], &taken["transport"]), (&true.into(), &"classic".into()));
    let taken = run(&["--json", "shim", "explain", &lp2p]).ok().json();
    assert_eq!((&taken["taken"], &taken["transport"]), (&true.into(), &"lp2p".into()));
    // It dials, is of another chain, and hears so in the words of both.
    run(&["shim", "explain", &classic, "--home", text(&other.home())]).failed(10, "not the same network");
    let refused = served.line(|line| line["event"] == "refused");
    assert!(refused["reason"].as_str().is_some_and(|reason| reason.contains("not the same network")), "{refused}");
    run(&["shim", "explain", &classic]).failed(2, "give --home or --chain-id");
    drop(served);
    run(&["shim", "explain", &classic, "--home", text(&fixture.home())]).failed(10, "refused");
}
