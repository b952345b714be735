//! The block service and a fetch, each on a transport of its own, over real connections.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use proto::cometbft::types::Block;
use shim::blocksync::client::{self, Claimed, Client, Fetch, FetchError, Judge, Patience, Unfit};
use shim::blocksync::service::{self, Budget, Log, Note, Service};
use shim::classic::multiplex::ChannelSpec;
use shim::classic::node_key::NodeKey;
use shim::classic::transport::{self as classic, Classic};
use shim::counters::Counters;
use shim::peering::Channel;
use shim::source::{BlockSource, Offer, OfferedBlock, SourceError};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(120);
const TOP: u64 = 400;

/// A block whose header has the height and nothing else; some are large.
fn block(height: u64) -> Bytes {
    let header = [&[0x18][..], &varint(height)].concat();
    let bytes = if height.is_multiple_of(100) { 3 << 20 } else { usize::try_from(height % 900).unwrap() };
    let block =
        Block { header: Some(header.into()), data: Some(vec![7; bytes].into()), evidence: None, last_commit: None };
    block.encode_to_vec().into()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A source of such blocks, or of blocks with one changed bit.
struct Chain {
    is_forged: bool,
}

impl BlockSource for Chain {
    fn chain_id(&self) -> &str {
        "chain"
    }

    fn offer(&self) -> Option<Offer> {
        Some(Offer { base: 1, top: TOP })
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        let mut bytes = block(height).to_vec();
        if self.is_forged {
            *bytes.last_mut().unwrap() ^= 1;
        }
        let offered =
            OfferedBlock { height, hash: [0; 32], block: bytes.into(), extended_commit: Some(varint(height).into()) };
        Ok((1..=TOP).contains(&height).then_some(offered))
    }
}

struct Silent;

impl Log for Silent {
    fn note(&self, _: &Note<'_>) {}
}

/// Keeps the blocks that are right.
#[derive(Default)]
struct Keeper {
    kept: Mutex<BTreeMap<u64, Claimed>>,
}

impl Judge for Keeper {
    fn judge(&self, claimed: Claimed) -> Result<(), Unfit> {
        if claimed.block != block(claimed.height) {
            return Err(Unfit::Wrong("forged".into()));
        }
        let before = self.kept.lock().unwrap().insert(claimed.height, claimed);
        assert_eq!(before, None, "a height is fetched once");
        Ok(())
    }
}

fn config(seed: u8) -> classic::Config {
    classic::Config {
        key: Arc::new(NodeKey::from_seed(&[seed; 32])),
        network: "chain".into(),
        version: "test".into(),
        moniker: "test".into(),
        listen: None,
        dial: Vec::new(),
        channels: vec![ChannelSpec::of_a_node(Channel::BLOCKSYNC)],
        limits: classic::Limits { retry: Duration::from_millis(200), ..classic::Limits::default() },
    }
}

/// A node that gives blocks, until it is dropped.
struct Giver {
    target: classic::Target,
    counters: Arc<Counters>,
    task: JoinHandle<()>,
}

impl Drop for Giver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Giver {
    async fn start(seed: u8, chain: Chain) -> Self {
        let listen = Some("127.0.0.1:0".parse().unwrap());
        let giver = classic::start(classic::Config { listen, ..config(seed) }).await.unwrap();
        let target = classic::Target { id: giver.id, host: "127.0.0.1".into(), port: giver.listening.unwrap().port() };
        let counters = Arc::<Counters>::default();
        let service = Service {
            transport: "classic",
            source: Arc::new(chain),
            counters: Arc::clone(&counters),
            log: Arc::new(Silent),
            budget: Arc::new(Budget::new(4 << 20)),
        };
        let (outbox, events, keep) = giver.into_parts();
        let task = tokio::spawn(async move {
            service::run(service, events, outbox).await;
            drop(keep);
        });
        Self { target, counters, task }
    }
}

async fn fetch(
    heights: impl IntoIterator<Item = u64, IntoIter: Send + 'static>,
    from: &[&Giver],
    keeper: &Arc<Keeper>,
    idle_max: Duration,
) -> Result<(), FetchError> {
    let dial = from.iter().map(|giver| giver.target.clone()).collect();
    let classic: Classic = classic::start(classic::Config { dial, ..config(99) }).await.unwrap();
    let (outbox, events, _keep) = classic.into_parts();
    let fetch = Fetch::new(heights, Patience::default());
    let judge = Arc::clone(keeper) as Arc<dyn Judge>;
    let client = Client { transport: "classic", judge, log: Arc::new(Silent), peers: from.len(), idle_max };
    timeout(PATIENCE, client::run(client, fetch, events, outbox)).await.expect("ends in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_block_arrives_from_several_peers_with_its_extended_commit() {
    let givers = [Giver::start(1, Chain { is_forged: false }).await, Giver::start(2, Chain { is_forged: false }).await];
    let keeper = Arc::<Keeper>::default();
    fetch(1..=TOP, &[&givers[0], &givers[1]], &keeper, PATIENCE).await.unwrap();
    let kept = keeper.kept.lock().unwrap();
    assert_eq!(kept.keys().copied().collect::<Vec<_>>(), (1..=TOP).collect::<Vec<_>>());
    for (height, claimed) in &*kept {
        assert_eq!(claimed.extended_commit.as_deref(), Some(&varint(*height)[..]));
    }
    for giver in &givers {
        assert!(giver.counters.snapshot().iter().any(|count| count.outcome == "block" && count.count > 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_block_costs_its_peer_the_session_and_comes_from_another() {
    let givers = [Giver::start(1, Chain { is_forged: true }).await, Giver::start(2, Chain { is_forged: false }).await];
    let keeper = Arc::<Keeper>::default();
    let ended = fetch([300, 77, 5], &[&givers[0]], &keeper, PATIENCE).await;
    assert_eq!(ended, Err(FetchError::NobodyLeft), "a liar alone is no reason to wait");
    assert!(keeper.kept.lock().unwrap().is_empty());
    fetch([300, 77, 5], &[&givers[0], &givers[1]], &keeper, PATIENCE).await.unwrap();
    assert_eq!(keeper.kept.lock().unwrap().keys().copied().collect::<Vec<_>>(), [5, 77, 300]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heights_that_nobody_has_end_the_fetch_by_name() {
    let giver = Giver::start(1, Chain { is_forged: false }).await;
    let keeper = Arc::<Keeper>::default();
    let ended = fetch([5, TOP + 1], &[&giver], &keeper, Duration::from_secs(4)).await;
    assert_eq!(ended, Err(FetchError::Idle { seconds: 4, wanting: vec![TOP + 1] }));
    assert_eq!(keeper.kept.lock().unwrap().len(), 1);
}
