//! How many connections, how slow, how long: the bounds of a transport.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The bounds of a transport.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections that others opened, those in their handshake included.
    pub inbound_max: usize,
    /// Of these from one address (one network of 64 bits for IPv6).
    pub per_address_max: usize,
    /// From the first byte to the end of the handshake.
    pub handshake: Duration,
    /// To open a connection.
    pub dial: Duration,
    /// Between pings.
    pub ping_every: Duration,
    /// Without a byte from the other side, pongs included.
    pub silence: Duration,
    /// For the other side to take the next 32 KiB.
    pub stall: Duration,
    /// Bytes a second that one connection may send; 0 for no limit.
    pub send_bytes_per_second: u64,
    /// Bytes that messages of all sessions may take until the service has let go of them: a session whose message finds no room
    /// is not read on.
    pub memory_bytes_max: usize,
    /// The first pause before dialling again; it doubles up to 16 times of this.
    pub retry: Duration,
}

impl Default for Limits {
    /// Times as nodes have them (`handshake_timeout`, `dial_timeout`, ping and pong of `MConnection`), and as many
    /// connections as a node accepts by default (`max_num_inbound_peers`).
    fn default() -> Self {
        Self {
            inbound_max: 40,
            per_address_max: 8,
            handshake: Duration::from_secs(20),
            dial: Duration::from_secs(3),
            ping_every: Duration::from_secs(60),
            silence: Duration::from_secs(60 + 45),
            stall: Duration::from_secs(30),
            send_bytes_per_second: 0,
            memory_bytes_max: 256 << 20,
            retry: Duration::from_secs(2),
        }
    }
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// All are taken.
    #[error("all {limit} places for inbound connections are taken")]
    Full {
        /// How many there are.
        limit: usize,
    },
    /// The address has its share.
    #[error("its address has all of its {limit} places already")]
    Address {
        /// How many an address may have.
        limit: usize,
    },
}

/// The places for inbound connections.
#[derive(Debug)]
pub struct Places {
    total_max: usize,
    per_address_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place; given back when dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    /// All places free.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { total_max: limits.inbound_max, per_address_max: limits.per_address_max, taken: Mutex::default() }
    }

    /// Takes a place for a connection from `address`.
    ///
    /// # Errors
    /// [`NoPlace`].
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, NoPlace> {
        let address = network(address);
        let mut taken = self.lock();
        if taken.total >= self.total_max {
            return Err(NoPlace::Full { limit: self.total_max });
        }
        // At most as many entries as places: one is made only for a connection, and removed with the last.
        let count = taken.by_address.entry(address).or_default();
        if *count >= self.per_address_max {
            return Err(NoPlace::Address { limit: self.per_address_max });
        }
        *count += 1;
        taken.total += 1;
        Ok(Place { places: Arc::clone(self), address })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.total -= 1;
        if let Some(count) = taken.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: a holder of IPv6 has a network of 64 bits at least.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_in_total_and_by_address_and_come_back() {
        let limits = Limits { inbound_max: 3, per_address_max: 2, ..Limits::default() };
        let places = Arc::new(Places::new(&limits));
        let take = |address: &str| places.take(address.parse().expect("an address"));
        let first = take("10.0.0.1").expect("free");
        let _second = take("::ffff:10.0.0.1").expect("the same address, spelled as IPv6");
        assert_eq!(take("10.0.0.1").err(), Some(NoPlace::Address { limit: 2 }));
        let third = take("2001:db8::1").expect("free");
        assert_eq!(take("10.0.0.2").err(), Some(NoPlace::Full { limit: 3 }));
        drop(first);
        let _fourth = take("2001:db8::ffff:1").expect("free");
        drop(third);
        assert_eq!(places.lock().by_address.len(), 2, "the counts of addresses that are gone are gone");
        let _fifth = take("2001:db8:0:0:1::1").expect("the same network has one place left");
        assert_eq!(places.lock().total, 3);
    }
}
