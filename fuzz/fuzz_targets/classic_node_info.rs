//! Any bytes as what a node says of itself, and as its key file: read, written, judged in words that stay on one line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shim::classic::checks::objections;
use shim::classic::node_info::NodeInfo;
use shim::classic::node_key::{NodeId, NodeKey};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(key) = NodeKey::from_json(text)
    {
        assert_eq!(NodeKey::from_json(&key.to_json()).expect("reads").id(), key.id());
    }
    let Ok(info) = NodeInfo::decode(bytes) else { return };
    assert_eq!(NodeInfo::decode(&info.encode()).expect("reads"), info);
    let ours = NodeInfo { network: "chain".to_owned(), channels: vec![0x40].into(), ..NodeInfo::default() };
    for objection in objections(&ours, &info, NodeId([1; 20])) {
        let words = objection.to_string();
        assert!(words.is_ascii() && !words.contains(|character: char| character.is_ascii_control()), "{words:?}");
    }
});
