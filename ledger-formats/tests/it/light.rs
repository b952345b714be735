//! A light client's store in every form against what upstream's own light stores hold of the same blocks: written by
//! v0.38.26, by v1.0.1 in layout v1 and by v1.0.1 in layout v2.

use std::collections::BTreeMap;

use ledger_formats::comet::class::{Database, Kind, class};
use ledger_formats::comet::convert::{Conversion, ConvertedStore, survey};
use ledger_formats::comet::dialect::Target;
use ledger_formats::comet::key::{ChainName, Layout, LightKey};
use ledger_formats::comet::layout::spelled;
use ledger_formats::comet::{Decode, LightBlock};
use ledger_formats::engine::EngineKind;
use ledger_formats::engine::lsm::LsmStore;
use ledger_formats::root::{Content, DatabaseRoot, database_root};
use ledger_formats::store::{KeyRange, ReadStore};
use proptest::prelude::*;

use crate::comet_convert::{rows, store};
use crate::homes;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

const LIGHT: Database = Database::LightStore;

/// A store that upstream wrote, with the providers that `cometbft light` keeps in it.
fn upstream(name: &str) -> Rows {
    let home = homes::unpack_from(&format!("light-client/{name}"));
    let dir = home.path("light-client-db.db".as_ref());
    let store = LsmStore::open(&dir, EngineKind::LevelDb, 0).expect("opens");
    let mut rows: Rows = rows(&store).into_iter().collect();
    rows.insert(b"primary".to_vec(), b"http://localhost:26657".to_vec());
    rows.insert(b"witnesses".to_vec(), Vec::new());
    rows
}

/// The three forms: layout, dialect, rows.
fn forms() -> [(Layout, Target, Rows); 3] {
    [
        (Layout::V1, Target::V0_38, upstream("v0_38")),
        (Layout::V1, Target::V1_0, upstream("v1_0-v1")),
        (Layout::V2, Target::V1_0, upstream("v1_0-v2")),
    ]
}

fn converted(source: &Rows, conversion: Conversion) -> Rows {
    let source = store(source);
    let found = survey(&source, LIGHT, conversion).expect("surveys");
    assert_eq!(found.refused, [], "{conversion:?}");
    let target = ConvertedStore::new(Box::new(source), LIGHT, conversion).expect("wraps");
    let whole = rows(&target);
    assert!(whole.is_sorted_by(|a, b| a.0 < b.0));
    assert_eq!(found.rows_after, Some(whole.len() as u64), "{conversion:?}: {found:?}");
    // In pieces, and by point reads, it is the same store.
    let mut pieces = Vec::new();
    let cuts: Vec<Vec<u8>> = whole.iter().map(|(key, _)| key.clone()).collect();
    for (at, start) in std::iter::once(&Vec::new()).chain(&cuts).enumerate() {
        let mut cursor = target.scan(&KeyRange { start: start.clone(), end: cuts.get(at).cloned() }).expect("a scan");
        while let Some((key, value)) = cursor.next().expect("reads") {
            pieces.push((key.to_vec(), value.to_vec()));
        }
    }
    assert!(pieces == whole, "{conversion:?} in pieces");
    for (key, value) in &whole {
        assert_eq!(target.get(key).expect("reads").as_ref(), Some(value), "{}", key.escape_ascii());
    }
    whole.into_iter().collect()
}

fn root(rows: &Rows) -> DatabaseRoot {
    database_root(&store(rows), Content::Records(LIGHT)).expect("has a root")
}

#[test]
fn every_form_becomes_what_upstream_wrote_in_every_other() {
    for (from, _, source) in &forms() {
        for (to, dialect, expected) in &forms() {
            let conversion = Conversion { from: *from, to: *to, dialect: Some(*dialect) };
            let target = converted(source, conversion);
            assert!(
                target == *expected,
                "{conversion:?}: {:?}",
                target.keys().zip(expected.keys()).find(|(a, b)| a != b)
            );
            assert_eq!(root(&target).shared, root(source).shared, "{conversion:?}");
            // Once more changes nothing.
            assert!(converted(&target, Conversion { from: *to, ..conversion }) == target);
        }
    }
}

#[test]
fn every_row_is_classified_and_light_blocks_decode() {
    for (layout, dialect, rows) in forms() {
        let found = spelled(&store(&rows), LIGHT).expect("reads");
        assert_eq!(found.layout(), Some(layout));
        assert_eq!(found.label.is_some(), dialect == Target::V1_0);
        let mut blocks = 0;
        for (key, value) in &rows {
            let class = class(LIGHT, key);
            assert_ne!(class.kind, Kind::Unknown, "{}", key.escape_ascii());
            if class.kind == Kind::LightBlock {
                let block = LightBlock::decode(value).expect("decodes");
                assert_eq!(block.header.hash().expect("has a hash"), block.commit.block_id.hash);
                assert_eq!(block.validator_set.hash(), block.header.validators_hash);
                blocks += 1;
            }
        }
        assert_eq!(blocks, 6);
    }
}

#[test]
fn a_changed_byte_changes_a_root() {
    for (_, _, rows) in forms() {
        let before = root(&rows);
        assert_eq!((before.unclear_total, before.shared.kinds[0].kind.name()), (0, "light-block"));
        for (key, value) in &rows {
            for at in (0..value.len()).step_by(37) {
                let mut changed = rows.clone();
                let mut value = value.clone();
                value[at] ^= 0x41;
                changed.insert(key.clone(), value);
                let after = root(&changed);
                assert!(
                    after.shared.root != before.shared.root || after.own.root != before.own.root,
                    "{at} of {key:?}"
                );
            }
        }
    }
}

const TO_V2: Conversion = Conversion { from: Layout::V1, to: Layout::V2, dialect: None };
const TO_V1: Conversion = Conversion { from: Layout::V2, to: Layout::V1, dialect: None };

/// What is refused, by survey and by the copy alike.
fn refused(rows: &Rows, conversion: Conversion) -> Vec<String> {
    let source = store(rows);
    let found = survey(&source, LIGHT, conversion).expect("surveys");
    let copied = ConvertedStore::new(Box::new(source), LIGHT, conversion).and_then(|target| {
        let mut cursor = target.scan(&KeyRange::all())?;
        while cursor.next()?.is_some() {}
        Ok(())
    });
    assert_eq!(copied.is_err(), !found.refused.is_empty(), "{:?}", found.refused);
    found.refused.iter().map(ToString::to_string).collect()
}

#[test]
fn what_has_no_place_in_the_other_layout_is_refused_by_name() {
    let [(_, _, v1), _, (_, _, v2)] = forms();
    let with = |rows: &Rows, key: &[u8]| {
        let mut rows = rows.clone();
        rows.insert(key.to_vec(), v1[v1.keys().next().expect("a row")].clone());
        rows
    };
    let other = refused(&with(&v1, b"lb/other/00000000000000000003"), TO_V2);
    assert!(other.len() == 1 && other[0].contains("another chain"), "{other:?}");
    let other = refused(&with(&v2, b"other\x00\x01\x8b\x83"), TO_V1);
    assert!(other.len() == 1 && other[0].contains("another chain"), "{other:?}");
    let mixed = refused(&with(&v1, b"other\x00\x01\x8b\x83"), TO_V2);
    assert!(mixed.len() == 1 && mixed[0].contains("another layout"), "{mixed:?}");
    let chain = v1.keys().next().expect("a row").split_last_chunk::<20>().expect("digits").0.to_vec();
    let nearly = refused(&with(&v1, &[chain.as_slice(), b"7"].concat()), TO_V2);
    assert!(nearly.len() == 1 && nearly[0].contains("begins like"), "{nearly:?}");
    let mut slash = Vec::new();
    let name = ChainName::new(b"a/b").expect("short");
    LightKey::Block { chain: name, height: 3 }.encode(Layout::V2, &mut slash);
    let slash = refused(&Rows::from([(slash, Vec::new())]), TO_V1);
    assert!(slash.len() == 1 && slash[0].contains("has a slash"), "{slash:?}");
    // Two chains may stay where they are, and change their dialect.
    let same = Conversion { from: Layout::V1, to: Layout::V1, dialect: Some(Target::V1_0) };
    assert!(refused(&with(&v1, b"lb/other/00000000000000000003"), same).is_empty());
}

proptest! {
    #[test]
    fn keys_read_back_and_order_codes_keep_their_order(
        chain in proptest::collection::vec(any::<u8>(), 0..65), other in proptest::collection::vec(any::<u8>(), 0..65),
        height in 0..=i64::MAX.cast_unsigned(), later in 0..=i64::MAX.cast_unsigned(),
    ) {
        let key = |chain: &[u8], height| LightKey::Block { chain: ChainName::new(chain).expect("short"), height };
        let spelled = |key: LightKey, layout| {
            let mut out = Vec::new();
            key.encode(layout, &mut out);
            out
        };
        let (one, two) = (key(&chain, height), key(&other, later));
        prop_assert_eq!(LightKey::decode(Layout::V2, &spelled(one, Layout::V2)), Some(one));
        if !chain.contains(&b'/') {
            prop_assert_eq!(LightKey::decode(Layout::V1, &spelled(one, Layout::V1)), Some(one));
            prop_assert_eq!(LightKey::decode(Layout::V2, &spelled(one, Layout::V1)), None);
        }
        prop_assert_eq!(LightKey::decode(Layout::V1, &spelled(one, Layout::V2)), None);
        prop_assert_eq!(spelled(one, Layout::V2).cmp(&spelled(two, Layout::V2)), one.cmp(&two));
        let size = LightKey::Size { chain: ChainName::new(&chain).expect("short") };
        prop_assert_eq!(LightKey::decode(Layout::V2, &spelled(size, Layout::V2)), Some(size));
    }

    #[test]
    fn what_reads_as_a_key_is_spelled_so(mut key in proptest::collection::vec(any::<u8>(), 0..40), is_near in any::<bool>()) {
        if is_near {
            key = [b"lb/c/0000000000000000000".as_slice(), &key].concat();
        }
        for layout in Layout::ALL {
            if let Some(decoded) = LightKey::decode(layout, &key) {
                let mut out = Vec::new();
                decoded.encode(layout, &mut out);
                prop_assert_eq!(&out, &key);
            }
        }
    }
}
