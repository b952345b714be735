//! What holds for all keys: they read back, nothing else reads as one, and order codes keep their order.

use proptest::prelude::*;

use super::{BlockKey, EvidenceKey, HEIGHT_MAX, Layout, StateKey, StateRecord};

fn any_height() -> impl Strategy<Value = u64> {
    prop_oneof![0..300_u64, any::<u64>().prop_map(|height| height & HEIGHT_MAX), Just(HEIGHT_MAX)]
}

fn any_block_key() -> impl Strategy<Value = BlockKey> {
    prop_oneof![
        any_height().prop_map(|height| BlockKey::Meta { height }),
        (any_height(), any::<u32>()).prop_map(|(height, part)| BlockKey::Part { height, part }),
        any_height().prop_map(|height| BlockKey::Commit { height }),
        any_height().prop_map(|height| BlockKey::SeenCommit { height }),
        any_height().prop_map(|height| BlockKey::ExtendedCommit { height }),
        any::<[u8; 32]>().prop_map(|hash| BlockKey::ByHash { hash }),
        Just(BlockKey::StoreState),
        Just(BlockKey::Version),
    ]
}

fn any_state_key() -> impl Strategy<Value = StateKey> {
    prop_oneof![
        any_height().prop_map(|height| StateKey::Validators { height }),
        any_height().prop_map(|height| StateKey::ConsensusParams { height }),
        any_height().prop_map(|height| StateKey::AbciResponses { height }),
        proptest::sample::select(StateRecord::ALL.to_vec()).prop_map(StateKey::Single),
    ]
}

fn any_evidence_key() -> impl Strategy<Value = EvidenceKey> {
    prop_oneof![
        (any_height(), any::<[u8; 32]>()).prop_map(|(height, hash)| EvidenceKey::Committed { height, hash }),
        (any_height(), any::<[u8; 32]>()).prop_map(|(height, hash)| EvidenceKey::Pending { height, hash }),
        Just(EvidenceKey::Version),
    ]
}

fn any_layout() -> impl Strategy<Value = Layout> {
    proptest::sample::select(Layout::ALL.to_vec())
}

/// Bytes that are nearly a key: one with a byte changed, taken away or put in.
fn nearly(key: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    (0..key.len(), any::<u8>(), 0..3).prop_map(move |(at, byte, change)| {
        let mut key = key.clone();
        match change {
            0 => key[at] = byte,
            1 => drop(key.remove(at)),
            _ => key.insert(at, byte),
        }
        key
    })
}

fn block_key(key: BlockKey, layout: Layout) -> Vec<u8> {
    let mut out = Vec::new();
    key.encode(layout, &mut out);
    out
}

fn state_key(key: StateKey, layout: Layout) -> Vec<u8> {
    let mut out = Vec::new();
    key.encode(layout, &mut out);
    out
}

fn evidence_key(key: EvidenceKey, layout: Layout) -> Vec<u8> {
    let mut out = Vec::new();
    key.encode(layout, &mut out);
    out
}

/// Order of the kinds in layout v2, with the heights.
fn is_ordered(key: BlockKey) -> bool {
    !matches!(key, BlockKey::StoreState | BlockKey::Version)
}

proptest! {
    #[test]
    fn keys_read_back(block in any_block_key(), state in any_state_key(), evidence in any_evidence_key(), layout in any_layout()) {
        prop_assert_eq!(BlockKey::decode(layout, &block_key(block, layout)), Some(block));
        prop_assert_eq!(StateKey::decode(layout, &state_key(state, layout)), Some(state));
        prop_assert_eq!(EvidenceKey::decode(layout, &evidence_key(evidence, layout)), Some(evidence));
    }

    #[test]
    fn what_reads_as_a_key_is_spelled_so(
        layout in any_layout(),
        block in any_block_key().prop_flat_map(|key| any_layout().prop_flat_map(move |layout| nearly(block_key(key, layout)))),
        state in any_state_key().prop_flat_map(|key| any_layout().prop_flat_map(move |layout| nearly(state_key(key, layout)))),
        evidence in any_evidence_key().prop_flat_map(|key| any_layout().prop_flat_map(move |layout| nearly(evidence_key(key, layout)))),
    ) {
        if let Some(key) = BlockKey::decode(layout, &block) {
            prop_assert_eq!(block_key(key, layout), block);
        }
        if let Some(key) = StateKey::decode(layout, &state) {
            prop_assert_eq!(state_key(key, layout), state);
        }
        if let Some(key) = EvidenceKey::decode(layout, &evidence) {
            prop_assert_eq!(evidence_key(key, layout), evidence);
        }
    }

    #[test]
    fn keys_of_layout_v2_sort_as_their_kinds_heights_and_parts(a in any_block_key(), b in any_block_key()) {
        if is_ordered(a) && is_ordered(b) {
            prop_assert_eq!(block_key(a, Layout::V2).cmp(&block_key(b, Layout::V2)), a.cmp(&b));
        }
    }

    #[test]
    fn evidence_sorts_as_its_kind_height_and_hash_in_both_layouts(a in any_evidence_key(), b in any_evidence_key(), layout in any_layout()) {
        if a != EvidenceKey::Version && b != EvidenceKey::Version {
            prop_assert_eq!(evidence_key(a, layout).cmp(&evidence_key(b, layout)), a.cmp(&b));
        }
    }

    #[test]
    fn a_key_of_one_layout_is_none_of_the_other(block in any_block_key(), state in any_state_key()) {
        for (layout, other) in [(Layout::V1, Layout::V2), (Layout::V2, Layout::V1)] {
            let is_in_both = !is_ordered(block);
            prop_assert_eq!(BlockKey::decode(other, &block_key(block, layout)).is_some(), is_in_both);
            let is_in_both = matches!(state, StateKey::Single(_));
            prop_assert_eq!(StateKey::decode(other, &state_key(state, layout)).is_some(), is_in_both);
        }
    }
}

#[test]
fn keys_equal_the_examples_of_upstream() {
    let height = 12_345_678;
    let hash = [0xca, 0xfe].repeat(16).try_into().expect("32 bytes");
    let mut edge = [0xab; 32];
    edge[..2].copy_from_slice(&[0x00, 0xff]);
    let cafe = "cafe".repeat(16);
    let table = [
        (BlockKey::Meta { height }, "H:12345678".to_owned(), "80f0bc614e".to_owned()),
        (BlockKey::Part { height, part: 0 }, "P:12345678:0".to_owned(), "81f0bc614e80".to_owned()),
        (BlockKey::Part { height, part: 70 }, "P:12345678:70".to_owned(), "81f0bc614ec046".to_owned()),
        (BlockKey::Commit { height }, "C:12345678".to_owned(), "82f0bc614e".to_owned()),
        (BlockKey::SeenCommit { height }, "SC:12345678".to_owned(), "83f0bc614e".to_owned()),
        (BlockKey::ExtendedCommit { height }, "EC:12345678".to_owned(), "84f0bc614e".to_owned()),
        (BlockKey::ByHash { hash }, format!("BH:{cafe}"), format!("85{cafe}0001")),
        (
            BlockKey::ByHash { hash: edge },
            format!("BH:00ff{}", "ab".repeat(30)),
            format!("8500ffff00{}0001", "ab".repeat(30)),
        ),
    ];
    for (key, v1, v2) in table {
        assert_eq!(block_key(key, Layout::V1), v1.as_bytes());
        assert_eq!(hex::encode(block_key(key, Layout::V2)), v2);
    }
    for (key, v1, v2) in [
        (StateKey::Validators { height }, "validatorsKey:12345678", "86f0bc614e"),
        (StateKey::ConsensusParams { height }, "consensusParamsKey:12345678", "87f0bc614e"),
        (StateKey::AbciResponses { height }, "abciResponsesKey:12345678", "88f0bc614e"),
    ] {
        assert_eq!(state_key(key, Layout::V1), v1.as_bytes());
        assert_eq!(hex::encode(state_key(key, Layout::V2)), v2);
    }
    let committed = EvidenceKey::Committed { height, hash };
    let v1 = format!("\0{height:016X}/{}", cafe.to_uppercase());
    assert_eq!(evidence_key(committed, Layout::V1), v1.as_bytes());
    assert_eq!(hex::encode(evidence_key(committed, Layout::V2)), format!("89f0bc614e{cafe}0001"));
}
