//! A tunnel between a classic transport and a libp2p transport that stand for nodes.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use shim::classic::multiplex::ChannelSpec;
use shim::classic::node_key::NodeKey;
use shim::classic::transport::{self as classic, Classic};
use shim::lp2p::{Accept, Options, Release};
use shim::peering::{Channel, Event, Session};
use shim::tunnel::{End, Meters, Notice, Pair, Patience, Settings, TunnelError, Way, run};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::lp2p::End as Lp2pNode;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// What stands for a classic node.
struct ClassicNode {
    classic: Classic,
}

impl ClassicNode {
    async fn start(version: &str) -> Self {
        let config = classic::Config {
            key: Arc::new(NodeKey::from_seed(&[7; 32])),
            network: "chain".into(),
            version: version.into(),
            moniker: "node".into(),
            listen: Some("127.0.0.1:0".parse().unwrap()),
            dial: Vec::new(),
            channels: Channel::ALL.map(ChannelSpec::of_a_node).to_vec(),
            limits: classic::Limits::default(),
        };
        Self { classic: classic::start(config).await.unwrap() }
    }

    fn target(&self) -> classic::Target {
        let port = self.classic.listening.unwrap().port();
        classic::Target { id: self.classic.id, host: "127.0.0.1".into(), port }
    }

    async fn event(&mut self) -> Event {
        timeout(PATIENCE, self.classic.events.recv()).await.unwrap().unwrap()
    }

    async fn connected(&mut self) -> Session {
        loop {
            if let Event::Connected { session, .. } = self.event().await {
                return session;
            }
        }
    }

    async fn message(&mut self) -> (Channel, Bytes) {
        match self.event().await {
            Event::Message { channel, payload, .. } => (channel, payload),
            other => panic!("{other:?} instead of a message"),
        }
    }
}

/// A tunnel at work.
struct Tunnel {
    meters: Arc<Meters>,
    notices: Arc<Mutex<Vec<Notice>>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), TunnelError>>,
}

impl Tunnel {
    fn between(classic: &ClassicNode, lp2p: &Lp2pNode) -> Self {
        let settings = Settings {
            pair: Pair::new("0.38".parse().unwrap(), "0.39".parse().unwrap()).unwrap(),
            chain_id: "chain".into(),
            classic: classic.target(),
            classic_key: Arc::new(NodeKey::from_seed(&[8; 32])),
            lp2p: lp2p.target(),
            listen: "127.0.0.1:0".parse().unwrap(),
            advertise: None,
            agent: "test".into(),
            patience: Patience { receipt: PATIENCE, first_word: PATIENCE },
        };
        let (stop, stopped) = watch::channel(false);
        let (meters, notices) = (Arc::<Meters>::default(), Arc::<Mutex<Vec<Notice>>>::default());
        let task = tokio::spawn({
            let (meters, notices) = (Arc::clone(&meters), Arc::clone(&notices));
            async move {
                let tell = |notice| notices.lock().unwrap().push(notice);
                run(&settings, &meters, &tell, stopped).await
            }
        });
        Self { meters, notices, stop, task }
    }

    /// Both nodes may know of the tunnel before it says so itself.
    async fn joined(&self) {
        let said = || self.notices.lock().unwrap().iter().any(|notice| matches!(notice, Notice::Joined { .. }));
        timeout(PATIENCE, async {
            while !said() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
    }

    async fn stop(self) -> Vec<Notice> {
        self.stop.send(true).unwrap();
        timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap();
        Arc::into_inner(self.notices).unwrap().into_inner().unwrap()
    }
}

fn payload(number: u32) -> Bytes {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(4 + (number as usize * 31) % 2000, number as u8);
    bytes.into()
}

fn number(payload: &Bytes) -> u32 {
    u32::from_le_bytes(payload[..4].try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_channel_passes_byte_for_byte_in_both_directions() {
    let (mut classic, mut lp2p) = (ClassicNode::start("0.38.26").await, Lp2pNode::start().await);
    let tunnel = Tunnel::between(&classic, &lp2p);
    let at_classic = classic.connected().await;
    let (at_lp2p, _) = lp2p.connected().await;
    let (to_lp2p, to_classic) = (classic.classic.outbox.clone(), lp2p.outbox.clone());
    tokio::spawn(async move {
        for number in 0..900 {
            to_lp2p.send(at_classic, Channel::ALL[number as usize % 9], payload(number)).await.unwrap();
        }
    });
    tokio::spawn(async move {
        for number in 0..900 {
            to_classic.send(at_lp2p, Channel::ALL[number as usize % 9], payload(number)).await.unwrap();
        }
    });
    let (mut at_far, mut at_near) = (HashSet::new(), HashSet::new());
    for _ in 0..900 {
        let (_, channel, bytes) = lp2p.message().await;
        assert_eq!((channel, &bytes), (Channel::ALL[number(&bytes) as usize % 9], &payload(number(&bytes))));
        at_far.insert(number(&bytes));
        let (channel, bytes) = classic.message().await;
        assert_eq!((channel, &bytes), (Channel::ALL[number(&bytes) as usize % 9], &payload(number(&bytes))));
        at_near.insert(number(&bytes));
    }
    assert_eq!((at_far.len(), at_near.len()), (900, 900));
    let meters = Arc::clone(&tunnel.meters);
    let notices = tunnel.stop().await;
    assert!(
        matches!(&notices[..], [Notice::Joined { agent, .. }, Notice::Stopped] if agent == "0.38.26"),
        "{notices:?}"
    );
    for way in [Way::ToLp2p, Way::ToClassic] {
        let counts = meters.counts();
        let of_way = || counts.iter().filter(|count| count.way == way);
        assert_eq!(
            (of_way().map(|count| count.messages).sum::<u64>(), of_way().map(|count| count.lost).sum::<u64>()),
            (900, 0)
        );
        assert_eq!(
            of_way().map(|count| count.bytes).sum::<u64>(),
            (0..900).map(|each| payload(each).len() as u64).sum::<u64>()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ends_end_together_and_come_back_under_another_identity() {
    let (mut classic, mut lp2p) = (ClassicNode::start("0.38.26").await, Lp2pNode::start().await);
    let tunnel = Tunnel::between(&classic, &lp2p);
    let first = classic.connected().await;
    let (at_lp2p, first_peer) = lp2p.connected().await;
    lp2p.outbox.close(at_lp2p, "the node goes away").await;
    assert_eq!(lp2p.closed().await, "the node goes away");
    assert!(matches!(classic.event().await, Event::Closed { session, .. } if session == first));
    let second = classic.connected().await;
    let (_, second_peer) = lp2p.connected().await;
    assert_ne!(first_peer.id, second_peer.id);
    classic.classic.outbox.close(second, "the other node goes away").await;
    assert!(lp2p.closed().await.starts_with("the peer closed the connection"));
    let notices = tunnel.stop().await;
    let ends: Vec<_> = notices
        .iter()
        .filter_map(|notice| if let Notice::Ended { end, .. } = notice { Some(*end) } else { None })
        .collect();
    assert_eq!(ends, [End::Lp2p, End::Classic], "{notices:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_node_slows_the_other_down_and_loses_nothing() {
    const MESSAGES: usize = 2500;
    let options =
        Options { memory_bytes_max: 2 << 20, patience: PATIENCE, ..Options::new(Release::V0_39, Accept::Anyone) };
    let (mut classic, mut lp2p) = (ClassicNode::start("0.38.26").await, Lp2pNode::with(options).await);
    let tunnel = Tunnel::between(&classic, &lp2p);
    let at_classic = classic.connected().await;
    let (at_lp2p, _) = lp2p.connected().await;
    // As a node says something to a new peer at once.
    lp2p.outbox.send(at_lp2p, Channel::STATE, payload(1)).await.unwrap();
    // Several times what the tunnel and both transports hold, while nobody reads at the far end.
    let outbox = classic.classic.outbox.clone();
    let sender = tokio::spawn(async move {
        for _ in 0..MESSAGES {
            outbox.send(at_classic, Channel::BLOCKSYNC, vec![5; 20_000].into()).await.unwrap();
        }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!sender.is_finished(), "somebody holds 50 MB");
    for _ in 0..MESSAGES {
        let (_, _, payload) = lp2p.message().await;
        assert!(payload.len() == 20_000 && payload.iter().all(|each| *each == 5));
    }
    sender.await.unwrap();
    let counts = tunnel.meters.counts();
    assert_eq!(counts.iter().map(|count| count.lost).sum::<u64>(), 0);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_release_than_stated_ends_the_tunnel() {
    let (classic, lp2p) = (ClassicNode::start("0.40.0").await, Lp2pNode::start().await);
    let tunnel = Tunnel::between(&classic, &lp2p);
    let ended = timeout(PATIENCE, tunnel.task).await.unwrap().unwrap();
    assert!(
        matches!(ended, Err(TunnelError::Contradiction { reason }) if reason.contains("0.40.0") && reason.contains("v0.38"))
    );
    assert_eq!(tunnel.meters.sessions(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_tunnels_stand_side_by_side() {
    let (mut classic, mut lp2p) = (ClassicNode::start("0.38.26").await, Lp2pNode::start().await);
    let one = Tunnel::between(&classic, &lp2p);
    classic.connected().await;
    lp2p.connected().await;
    let mut other_classic = ClassicNode::start("0.38.26").await;
    let other = Tunnel::between(&other_classic, &lp2p);
    other_classic.connected().await;
    lp2p.connected().await;
    one.joined().await;
    other.joined().await;
    assert!(matches!(one.stop().await[..], [Notice::Joined { .. }, Notice::Stopped]));
    assert!(matches!(other.stop().await[..], [Notice::Joined { .. }, Notice::Stopped]));
}
