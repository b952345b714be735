//! Any lines as checked segments, and joined.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofs::chain::Segment;

fuzz_target!(|text: &str| {
    let mut segments = Vec::new();
    for line in text.lines() {
        if let Ok(segment) = Segment::parse(line) {
            assert_eq!(segment.to_string(), line);
            segments.push(segment);
        }
    }
    if let Ok(joined) = Segment::join(&segments) {
        assert_eq!(joined.frontier.size() - 1, joined.heights.end() - joined.heights.start());
    }
});
