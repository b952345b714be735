//! `verify-range` and `join`: segments of 2^16 heights, checked anywhere, side by side, and put together.

use std::path::Path;

use proofs::chain::{Joined, Segment, Walk};

use super::{Fault, Sources, summary};
use crate::cli::{Join, VerifyRange};
use crate::failure::Failure;
use crate::files;

pub(crate) fn verify_range(arguments: &VerifyRange) -> Result<String, Failure> {
    let VerifyRange { first, from, to, .. } = *arguments;
    let words = |source| Fault::NotASegment { from, to, source };
    Segment::check(first, &(from..=to)).map_err(words)?;
    let (mut sources, _, _) = Sources::open(&arguments.rpc)?;
    sources.expect(from, to)?;
    let mut walk = Walk::new(sources.chain_id(), from);
    sources.walk(&mut walk, to, None)?;
    Ok(Segment::of(&walk, first).map_err(words)?.to_string())
}

pub(crate) fn join(arguments: &Join) -> Result<String, Failure> {
    let mut segments = Vec::new();
    for path in &arguments.files {
        segments.extend(read(path)?);
    }
    segments.sort_by_key(|segment| *segment.heights.start());
    let Joined { chain_id, start, heights, frontier } = Segment::join(&segments).map_err(Fault::from)?;
    Ok(summary(&chain_id, heights, &start, &frontier))
}

fn read(path: &Path) -> Result<Vec<Segment>, Failure> {
    let fault = |line, reason| Fault::Segment { path: path.to_owned(), line, reason };
    let text = String::from_utf8(files::read(path)?).map_err(|error| fault(1, error.to_string()))?;
    let lines = text.lines().enumerate();
    let segments = lines.map(|(place, line)| Segment::parse(line).map_err(|error| fault(place + 1, error.to_string())));
    Ok(segments.collect::<Result<_, _>>()?)
}
