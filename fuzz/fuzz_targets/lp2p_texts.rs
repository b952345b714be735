//! Any text as an address, a node key, a release and a node's claim: what reads is printed as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shim::lp2p::{Identity, Target};
use shim::tunnel::{Claim, Release};

fuzz_target!(|text: &str| {
    if let Ok(target) = text.parse::<Target>() {
        assert_eq!(target.to_string().parse::<Target>().as_ref(), Ok(&target));
        assert!(!target.bootstrap_peer().contains(['\n', '\r']));
    }
    let _ = Identity::from_node_key(text);
    if let Ok(release) = text.parse::<Release>() {
        assert_ne!(Claim::check(release, text), Claim::Contradicts(String::new()));
        assert_eq!(release.to_string().parse(), Ok(release));
    }
    if let Claim::Doubtful(words) | Claim::Contradicts(words) = Claim::check(Release::V0_38, text) {
        assert!(words.len() < 400 && !words.contains('\n'));
    }
});
