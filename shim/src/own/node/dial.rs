//! Static peers, and when to dial them again: a function of what happened and when.

use std::time::Duration;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use super::config::StaticPeer;

/// Time before the second attempt; each further one takes twice as long.
const RETRY: Duration = Duration::from_secs(1);

/// Longest time between two attempts.
const RETRY_MAX: Duration = Duration::from_secs(300);

/// Addresses that a name may stand for at most.
const RESOLVED_MAX: usize = 8;

/// Static peers and when they are due.
#[derive(Debug)]
pub(super) struct Roster {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    peer: StaticPeer,
    /// When to dial; `None` while it is dialled or connected.
    due: Option<Duration>,
    failures: u32,
}

impl Roster {
    /// All are due at once.
    pub(super) fn new(peers: Vec<StaticPeer>) -> Self {
        let entry = |peer| Entry { peer, due: Some(Duration::ZERO), failures: 0 };
        Self { entries: peers.into_iter().map(entry).collect() }
    }

    /// The peers to dial now.
    pub(super) fn poll(&mut self, now: Duration) -> Vec<StaticPeer> {
        let due = self.entries.iter_mut().filter(|entry| entry.due.is_some_and(|due| due <= now));
        due.map(|entry| {
            entry.due = None;
            entry.peer.clone()
        })
        .collect()
    }

    /// A connection began: nothing is due.
    pub(super) fn connected(&mut self, peer: PeerId) {
        self.with(peer, |entry| entry.due = None);
    }

    /// The hellos agreed: the next failure is the first again.
    pub(super) fn agreed(&mut self, peer: PeerId) {
        self.with(peer, |entry| entry.failures = 0);
    }

    /// A dial failed or the last connection ended; whether that is the first time since all was well.
    pub(super) fn lost(&mut self, peer: PeerId, now: Duration) -> bool {
        let mut is_first = false;
        self.with(peer, |entry| {
            is_first = entry.failures == 0;
            let wait = RETRY.saturating_mul(1 << entry.failures.min(16)).min(RETRY_MAX);
            entry.due = Some(now.saturating_add(wait));
            entry.failures = entry.failures.saturating_add(1);
        });
        is_first
    }

    fn with(&mut self, peer: PeerId, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.peer.id == peer) {
            change(entry);
        }
    }
}

/// The addresses with names replaced by what the system resolves them to; what does not resolve is left out.
pub(super) async fn resolve(addresses: &[Multiaddr]) -> Vec<Multiaddr> {
    let mut resolved = Vec::new();
    for address in addresses {
        let name = address.iter().next().and_then(|first| match first {
            Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => Some(name.into_owned()),
            _ => None,
        });
        let Some(name) = name else {
            resolved.push(address.clone());
            continue;
        };
        let Ok(found) = tokio::net::lookup_host((name.as_str(), 0)).await else { continue };
        let with_ip = |ip: std::net::IpAddr| {
            address.replace(0, |first| match (first, ip) {
                (Protocol::Dns4(_) | Protocol::Dns(_), std::net::IpAddr::V4(ip)) => Some(Protocol::Ip4(ip)),
                (Protocol::Dns6(_) | Protocol::Dns(_), std::net::IpAddr::V6(ip)) => Some(Protocol::Ip6(ip)),
                _ => None,
            })
        };
        resolved.extend(found.filter_map(|socket| with_ip(socket.ip())).take(RESOLVED_MAX));
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_dialled_less_and_less_until_all_is_well() {
        let seconds = Duration::from_secs;
        let id = PeerId::random();
        let mut roster = Roster::new(vec![StaticPeer { id, addresses: Vec::new() }]);
        assert_eq!(roster.poll(seconds(0)).len(), 1);
        assert!(roster.poll(seconds(9)).is_empty(), "it is being dialled");
        assert!(roster.lost(id, seconds(10)), "news");
        assert!(roster.poll(seconds(10)).is_empty());
        assert_eq!(roster.poll(seconds(11)).len(), 1);
        assert!(!roster.lost(id, seconds(11)));
        assert!(roster.poll(seconds(12)).is_empty());
        assert_eq!(roster.poll(seconds(13)).len(), 1);
        roster.connected(id);
        roster.agreed(id);
        assert!(roster.lost(id, seconds(20)), "news again");
        assert!(!roster.lost(PeerId::random(), seconds(20)), "not static");
        let dials = (20..20 + 86_400).filter(|second| {
            let is_due = !roster.poll(seconds(*second)).is_empty();
            if is_due {
                roster.lost(id, seconds(*second));
            }
            is_due
        });
        assert!((288..310).contains(&dials.count()));
    }

    #[tokio::test]
    async fn names_are_resolved_and_the_rest_of_the_address_stays() {
        let addresses: Vec<Multiaddr> = ["/dns4/localhost/udp/9/quic-v1", "/ip4/192.0.2.1/tcp/1"]
            .iter()
            .map(|text| text.parse().expect("an address"))
            .collect();
        let texts: Vec<String> = resolve(&addresses).await.iter().map(Multiaddr::to_string).collect();
        assert_eq!(texts, ["/ip4/127.0.0.1/udp/9/quic-v1", "/ip4/192.0.2.1/tcp/1"]);
    }
}
