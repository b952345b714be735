//! How fast blocks come over loopback on one stream: `cargo bench -p shim --profile dev --bench blocks`.
//!
//! Each row is one download between two nodes in this process, over real connections, with every part proven and
//! every block handed over; the best of three. Both sides share the processor.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use proto::hello::{Heights, Hello, Printable, Status, Storage, Terms, TimeRule, Version, Versions};
use shim::counters::Counters;
use shim::own::blocks::{BlockHead, Check, Rejection};
use shim::own::node::{Config, Download, Event, Handle, StaticPeer, start};
use shim::source::{BlockSource, Offer, OfferedBlock, SourceError};

/// The text that blocks are made of.
const TEXT_BYTES: usize = 32 << 20;

/// Runs of each row; the best counts.
const RUNS: usize = 3;

/// A chain whose blocks are pieces of one text, each from another place of it.
struct Pieces {
    count: u64,
    block_bytes: usize,
    text: Bytes,
}

impl BlockSource for Pieces {
    fn chain_id(&self) -> &str {
        "bench"
    }

    fn offer(&self) -> Option<Offer> {
        Some(Offer { base: 1, top: self.count })
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        let places = self.text.len() - self.block_bytes;
        let start = usize::try_from(height).expect("small") * 104_729 % places;
        let block = self.text.slice(start..start + self.block_bytes);
        let block = OfferedBlock { height, hash: [7; 32], block, extended_commit: None };
        Ok((height <= self.count).then_some(block))
    }
}

/// Counts what comes.
#[derive(Default)]
struct Count {
    blocks: u64,
    bytes: u64,
}

impl Check for Count {
    fn head(&mut self, _: &BlockHead) -> Result<(), Rejection> {
        Ok(())
    }

    fn block(&mut self, _: &BlockHead, block: OfferedBlock) -> Result<(), Rejection> {
        self.blocks += 1;
        self.bytes += block.block.len() as u64;
        Ok(())
    }
}

/// Bytes that do not compress (SplitMix64).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    };
    let words: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| next().to_le_bytes()).collect();
    words.into_iter().take(length).collect()
}

/// Transactions as chains have them: short texts around numbers that do not compress.
fn transactions(length: usize) -> Vec<u8> {
    let noise = noise(length / 2);
    let texts = noise.chunks(64).flat_map(|random| {
        [&b"/cosmos.bank.v1beta1.MsgSend cosmos1 uatom memo gas fee payer sig "[..], random].concat()
    });
    texts.take(length).collect()
}

async fn node(version: Version, source: Arc<Pieces>, listen: &str, dial: Option<Multiaddr>) -> (Handle, Multiaddr) {
    let versions = || Versions::new([version.0]).expect("a version");
    let count = source.count;
    let hello = Hello {
        chain_id: Printable::new("bench").expect("a chain id"),
        genesis_hash: [7; 32],
        terms: Terms::new(versions(), versions(), Version(0)),
        time_rule: TimeRule::V0_38,
        attest_every: None,
        status: Status::new(Storage::Old, Heights::new(1, count).ok(), count).expect("a status"),
        agent: Printable::new("bench/1").expect("an agent"),
    };
    let dial = dial.map(|address| address.to_string());
    let config = Config {
        identity: Keypair::generate_ed25519(),
        listen: vec![listen.parse().expect("an address")],
        peers: StaticPeer::parse(dial.as_deref()).expect("peers"),
        connections_max: 8,
        hello,
        source,
        book: None,
        relay: None,
        counters: Arc::new(Counters::default()),
    };
    let (handle, mut events) = start(config).expect("starts");
    let Some(Event::Listening { address }) = events.recv().await else { panic!("no address") };
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    let address = address.with(Protocol::P2p(handle.id()));
    (handle, address)
}

/// Time that this process has been on the cores.
fn core_time() -> Duration {
    let usage = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    // Fields 14 and 15, counted after the name in brackets, in hundredths of a second.
    let fields = usage.rsplit(')').next().expect("a name").split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(10 * ticks)
}

/// Downloads all blocks once; the time that it took, by the clock and on the cores.
async fn download(version: Version, source: &Arc<Pieces>, transport: &str) -> (Duration, Duration) {
    let (server, address) = node(version, Arc::clone(source), transport, None).await;
    let (client, _) = node(version, Arc::clone(source), transport, Some(address)).await;
    assert!(client.connected(server.id(), Duration::from_secs(10)).await, "connected");
    let heights = Heights::new(1, source.count).expect("heights");
    let mut warm_up = Download::new(Heights::new(1, 1).expect("heights"), Count::default());
    warm_up.from(&client, server.id()).await.expect("one block");
    let mut download = Download::new(heights, Count::default());
    let (start, cores) = (Instant::now(), core_time());
    download.from(&client, server.id()).await.expect("all blocks");
    let times = (start.elapsed(), core_time() - cores);
    let count = download.into_check().expect("done");
    assert_eq!((count.blocks, count.bytes), (source.count, source.count * source.block_bytes as u64));
    times
}

async fn row(what: &str, version: Version, transport: &str, source: &Arc<Pieces>) -> f64 {
    let (mut best, mut cores) = (Duration::MAX, Duration::MAX);
    for _ in 0..RUNS {
        let times = download(version, source, transport).await;
        (best, cores) = (best.min(times.0), cores.min(times.1));
    }
    let seconds = best.as_secs_f64();
    let blocks = source.count as f64 / seconds;
    let total = source.count as f64 * source.block_bytes as f64;
    let (megabytes, cores) = (total / seconds / 1e6, cores.as_secs_f64() / (total / 1e9));
    let name = if transport.contains("quic") { "QUIC" } else { "TCP, Noise, Yamux" };
    println!("| {what} | {name} | blocks/{version} | {blocks:.0} | {megabytes:.1} | {cores:.1} |");
    blocks
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    println!("| blocks | transport | protocol | blocks/s | MB/s of block bytes | core seconds a GB, both sides |");
    println!("|---|---|---|---:|---:|---:|");
    let (random, transactions): (Bytes, Bytes) = (noise(TEXT_BYTES).into(), transactions(TEXT_BYTES).into());
    let source = |count, block_bytes, text: &Bytes| Arc::new(Pieces { count, block_bytes, text: text.clone() });
    let small = source(20_000, 1_500, &transactions);
    let large = [
        ("8 MiB, random bytes", source(40, 8 << 20, &random)),
        ("8 MiB, transactions", source(40, 8 << 20, &transactions)),
    ];
    let mut ratios = Vec::new();
    for transport in ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"] {
        let one = row("1,500 bytes", Version::ONE, transport, &small).await;
        let two = row("1,500 bytes", Version::TWO, transport, &small).await;
        ratios.push(two / one);
        for (what, source) in &large {
            row(what, Version::ONE, transport, source).await;
            row(what, Version::TWO, transport, source).await;
        }
    }
    println!("\nblocks/2 beside blocks/1 on small blocks: {:.1} times (QUIC), {:.1} times (TCP)", ratios[0], ratios[1]);
}
