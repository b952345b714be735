//! `reproduce`, `verify-range` and `join`: the tree of a chain from the RPC of any public node, trusting none.
//!
//! Every header must hash to its block id, name the block below, and have the validators that the header below
//! announced; every commit must be signed by more than two thirds of them (ZIP-215). What is left to believe is who
//! the validators of the first height were: its block hash is told, and compared with one that is given.

mod answers;
mod fault;
mod node;
mod segment;
mod source;
mod state;

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::path::Path;
use std::rc::Rc;

use proofs::chain::{Header, Start, Walk};
use proofs::checkpoint::{Checkpoint, LedgerOrigin};
use proofs::commit::{CommitError, SignatureBatch, SignaturePlace, ValidatorSet, VoteTemplate};
use proofs::merkle::{Frontier, Hash};
use proofs::note::Note;

pub(crate) use fault::Fault;
pub(crate) use segment::{join, verify_range};

use super::cli::{Reproduce, Rpc};
use super::failure::Failure;
use super::{files, output};
use node::Node;
use source::PAGE;

/// Validator sets kept; a chain changes its set rarely, and back and forth.
const SETS_MAX: usize = 64;

/// Pages between two reports of progress.
const PAGES_BETWEEN_REPORTS: u64 = 50;

/// The nodes that are asked, and how.
pub(crate) struct Sources {
    first: Node,
    second: Option<Node>,
    chain_id: String,
    commit_every: u64,
    first_block: Option<Hash>,
    sets: HashMap<Hash, Rc<ValidatorSet>>,
}

pub(crate) fn run(arguments: &Reproduce) -> Result<String, Failure> {
    let claim = claim(arguments)?;
    let (mut sources, base, tip) = Sources::open(&arguments.rpc)?;
    let (first, last) = match &claim {
        Some((origin, checkpoint)) => {
            let last = origin.first_height().saturating_add(checkpoint.size()).saturating_sub(1);
            (origin.first_height(), last)
        }
        None => (arguments.from.unwrap_or(base), arguments.to.unwrap_or(tip)),
    };
    sources.expect(first, last)?;
    sources.first_block = arguments.first_block;
    let mut walk = begin(arguments.state.as_deref(), &sources.chain_id, first)?;
    if walk.next() > last.saturating_add(1) {
        let path = arguments.state.clone().unwrap_or_default();
        return Err(Fault::OtherWalk { path, chain: walk.chain_id().to_owned(), first }.into());
    }
    sources.walk(&mut walk, last, arguments.state.as_deref())?;
    let start = walk.start().ok_or(Fault::Behind { url: arguments.rpc.rpc.clone(), tip, last })?;
    let (size, root) = (walk.frontier().size(), walk.frontier().root());
    let mut text = String::new();
    if let Some((_, checkpoint)) = &claim {
        if *checkpoint.root() != root {
            return Err(Fault::Root { size, expected: *checkpoint.root(), actual: root }.into());
        }
        let _ = writeln!(
            text,
            "holds: the checkpoint is of the chain that the node serves\norigin {}",
            checkpoint.origin()
        );
    }
    text.push_str(&summary(walk.chain_id(), first..=last, start, walk.frontier()));
    Ok(text)
}

/// What was recomputed, in lines.
pub(crate) fn summary(chain_id: &str, heights: RangeInclusive<u64>, start: &Start, tree: &Frontier) -> String {
    let (first, last) = heights.into_inner();
    let (block, size, root) = (hex::encode(start.block.hash), tree.size(), hex::encode(tree.root()));
    format!("first-block {block}\nchain {chain_id}\nheights {first} to {last}\nsize {size}\nroot {root}")
}

/// The checkpoint to compare with.
fn claim(arguments: &Reproduce) -> Result<Option<(LedgerOrigin, Checkpoint)>, Failure> {
    let (Some(file), Some(log)) = (&arguments.checkpoint, &arguments.log) else { return Ok(None) };
    let note = Note::parse(&files::read(file)?)?;
    let known = [log.clone()];
    let checkpoint = Checkpoint::open(&note, &known)?.checkpoint().clone();
    checkpoint.is_of(log.name())?;
    Ok(Some((LedgerOrigin::parse(checkpoint.origin())?, checkpoint)))
}

/// A new walk, or the one put aside.
fn begin(state: Option<&Path>, chain_id: &str, first: u64) -> Result<Walk, Failure> {
    let kept = state.map(state::read).transpose()?.flatten();
    match (kept, state) {
        (Some(walk), Some(path)) if walk.chain_id() != chain_id || walk.first() != first => {
            let (chain, first) = (walk.chain_id().to_owned(), walk.first());
            Err(Fault::OtherWalk { path: path.to_owned(), chain, first }.into())
        }
        (Some(walk), _) => Ok(walk),
        (None, _) => Ok(Walk::new(chain_id, first)),
    }
}

impl Sources {
    /// The nodes, and the heights that all of them have.
    pub(crate) fn open(rpc: &Rpc) -> Result<(Self, u64, u64), Fault> {
        let open = |url: &String| Node::new(url, rpc.rate, rpc.retries);
        let first = open(&rpc.rpc)?;
        let second = rpc.rpc2.as_ref().map(open).transpose()?;
        let (chain_id, base, tip) = first.status()?;
        let chain_id = match &rpc.chain {
            Some(expected) if *expected != chain_id => {
                let (url, expected) = (first.url().to_owned(), expected.clone());
                return Err(Fault::OtherChain { url, expected, actual: chain_id });
            }
            _ => chain_id,
        };
        // It goes into lines that others read.
        if chain_id.contains(char::is_control) {
            return Err(Fault::ChainName { url: first.url().to_owned(), name: chain_id });
        }
        let (mut base, mut tip) = (base, tip);
        if let Some(second) = &second {
            let (actual, its_base, its_tip) = second.status()?;
            if actual != chain_id {
                return Err(Fault::OtherChain { url: second.url().to_owned(), expected: chain_id, actual });
            }
            (base, tip) = (base.max(its_base), tip.min(its_tip));
        }
        let commit_every = rpc.commit_every.max(1);
        Ok((Self { first, second, chain_id, commit_every, first_block: None, sets: HashMap::new() }, base, tip))
    }

    /// Name of the chain.
    pub(crate) fn chain_id(&self) -> &str {
        &self.chain_id
    }

    /// Checks that all nodes have the heights.
    pub(crate) fn expect(&self, first: u64, last: u64) -> Result<(), Fault> {
        for node in std::iter::once(&self.first).chain(&self.second) {
            let (url, (_, base, tip)) = (node.url().to_owned(), node.status()?);
            if first < base {
                return Err(Fault::Pruned { url, base, first });
            }
            if last > tip || first > last {
                return Err(Fault::Behind { url, tip, last: last.max(first) });
            }
        }
        Ok(())
    }

    /// Goes on to `last`; the walk is kept in `state` after each page.
    pub(crate) fn walk(&mut self, walk: &mut Walk, last: u64, state: Option<&Path>) -> Result<(), Failure> {
        let mut pages: u64 = 0;
        self.expect_start(walk)?;
        while walk.next() <= last {
            let end = last.min(walk.next().saturating_add(PAGE - 1));
            // What is put aside must be signed up to its end: the walk may never go on, or to no other height.
            let signed = if state.is_some() { end } else { last };
            self.page(walk, walk.next()..=end, signed)?;
            self.expect_start(walk)?;
            if let Some(path) = state {
                state::write(path, walk)?;
            }
            pages += 1;
            if pages.is_multiple_of(PAGES_BETWEEN_REPORTS) {
                output::progress(&format!("height {} of {last}", walk.next() - 1));
            }
        }
        Ok(())
    }

    /// Compares the first block with the one that is known, if one is.
    fn expect_start(&self, walk: &Walk) -> Result<(), Fault> {
        match (self.first_block, walk.start()) {
            (Some(expected), Some(start)) if start.block.hash != expected => {
                Err(Fault::FirstBlock { height: walk.first(), expected, actual: start.block.hash })
            }
            _ => Ok(()),
        }
    }

    /// Takes the heights of a page. Signatures are checked at every `commit_every`th height and at `signed`; and where
    /// a header announces other validators, because nobody but the present ones can vouch for them.
    fn page(&mut self, walk: &mut Walk, heights: RangeInclusive<u64>, signed: u64) -> Result<(), Fault> {
        let metas = self.first.metas(heights.clone())?;
        if let Some(second) = &self.second {
            for ((header, one), (_, other)) in metas.iter().zip(second.metas(heights)?) {
                if *one != other {
                    let (first, second) = (self.first.url().to_owned(), second.url().to_owned());
                    let (height, one, other) = (header.height, Box::new(*one), Box::new(other));
                    return Err(Fault::Disagree { first, second, height, one, other });
                }
            }
        }
        // The walk moves on only when the signatures of the whole page hold.
        let mut ahead = walk.clone();
        let mut batch = SignatureBatch::new();
        let mut template = VoteTemplate::new(&self.chain_id);
        for (header, block) in &metas {
            let link = ahead.push(header, block);
            link.map_err(|source| Fault::Link { url: self.first.url().to_owned(), source })?;
            let changes = header.next_validators_hash != header.validators_hash;
            if changes || header.height.is_multiple_of(self.commit_every) || header.height == signed {
                let set = self.set(header)?;
                self.first.commit(header.height, block, &set, &mut template, &mut batch)?;
            }
        }
        self.signatures(&mut batch)?;
        *walk = ahead;
        Ok(())
    }

    fn signatures(&self, batch: &mut SignatureBatch<SignaturePlace>) -> Result<(), Fault> {
        let Err(bad) = batch.finish() else { return Ok(()) };
        let first = bad.tags.iter().min().copied();
        let SignaturePlace { height, index } = first.unwrap_or(SignaturePlace { height: 0, index: 0 });
        let source = CommitError::BadSignature { height, index };
        Err(Fault::Commit { url: self.first.url().to_owned(), source })
    }

    /// The validators of a header's height.
    fn set(&mut self, header: &Header) -> Result<Rc<ValidatorSet>, Fault> {
        let hash: Option<Hash> = header.validators_hash.as_slice().try_into().ok();
        if let Some(set) = hash.and_then(|hash| self.sets.get(&hash)) {
            return Ok(Rc::clone(set));
        }
        let set = Rc::new(self.first.validators(header.height, &header.validators_hash)?);
        if self.sets.len() >= SETS_MAX {
            self.sets.clear();
        }
        self.sets.insert(set.hash(), Rc::clone(&set));
        Ok(set)
    }
}
