//! What will happen, in the order of time; of what happens at one time, in the order in which it was planned.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::chain::Time;

/// A queue of events.
#[derive(Debug)]
pub(super) struct Queue<E> {
    heap: BinaryHeap<Entry<E>>,
    planned: u64,
}

#[derive(Debug)]
struct Entry<E> {
    order: Reverse<(Time, u64)>,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}

impl<E> Queue<E> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), planned: 0 }
    }

    /// Plans an event.
    pub(super) fn plan(&mut self, at: Time, event: E) {
        self.planned += 1;
        self.heap.push(Entry { order: Reverse((at, self.planned)), event });
    }

    /// The next event and its time.
    pub(super) fn next(&mut self) -> Option<(Time, E)> {
        self.heap.pop().map(|entry| (entry.order.0.0, entry.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_by_order_of_planning() {
        let mut queue = Queue::new();
        for (time, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (2, 'b')] {
            queue.plan(Time(time), event);
        }
        let events: String = std::iter::from_fn(|| queue.next()).map(|(_, event)| event).collect();
        assert_eq!(events, "abcd");
    }
}
