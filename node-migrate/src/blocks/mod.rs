//! Single blocks of a home, each proven by the signatures of its chain before anybody gets to see it.
//!
//! Who hands a block on, to a peer or into a damaged store, must know that it is the chain's: its bytes name its parts and
//! its header, the header binds what is in it, and more than two thirds of the validators that the header names
//! signed that name. [`Chain::block`] says this of a stored block, [`Chain::prove`] of one from outside. The
//! verification of a whole store, which reports all that is wrong, is [`crate::verify`] and shares nothing with this.

mod extensions;
mod rows;
mod times;
mod unproven;
mod validators;

use ledger_formats::comet::key::{BlockKey, Layout};
use ledger_formats::comet::{BlockMeta, Commit, Decode, ExtendedCommit, Part, StoredBlock, put_extension_sign_bytes};
use ledger_formats::patched::LostRange;
use ledger_formats::store::{ReadStore, StoreError};
use proofs::commit::{BlockId, Flag, SignatureBatch, ValidatorSet};

use crate::checkpoint::Blocks;
use rows::Rows;
pub use unproven::Unproven;
use validators::Validators;

/// A block that its chain's validators signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Its height.
    pub height: u64,
    /// Its name.
    pub id: BlockId,
    /// `tendermint.types.Block`, as the chain has it.
    pub bytes: Vec<u8>,
    /// The commit that proves it: that of the block above, or that which this node saw.
    pub commit: Vec<u8>,
    /// The commit with vote extensions, where the chain had them.
    pub extended_commit: Option<Vec<u8>>,
}

/// The stores of one node that say what its chain is.
pub struct Chain<'a> {
    blocks: Blocks<'a>,
    rows: Rows<'a>,
    validators: Validators,
    chain_id: String,
}

impl<'a> Chain<'a> {
    /// The chain `chain_id` in a block store and the state store beside it, which knows the validators.
    ///
    /// # Errors
    /// When the block store does not say which heights it holds.
    pub fn open(
        blocks: &'a dyn ReadStore,
        state: &'a dyn ReadStore,
        chain_id: &str,
    ) -> Result<Self, crate::checkpoint::ChainError> {
        let heights = Blocks::open(blocks)?;
        let rows = Rows { blocks, layout: heights.layout(), state };
        Ok(Self { blocks: heights, rows, validators: Validators::default(), chain_id: chain_id.to_owned() })
    }

    /// Lowest height whose block is there.
    #[must_use]
    pub const fn base(&self) -> u64 {
        self.blocks.base()
    }

    /// Highest one.
    #[must_use]
    pub const fn tip(&self) -> u64 {
        self.blocks.tip()
    }

    /// How the keys of the block store are spelled.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.rows.layout
    }

    /// A row of the block store.
    ///
    /// # Errors
    /// When the place where it would be cannot be read.
    pub fn row(&self, key: &BlockKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.rows.row(key)
    }

    /// Whether a row of the block store would lie in one of these ranges of keys.
    #[must_use]
    pub fn is_within(&self, key: &BlockKey, ranges: &[LostRange]) -> bool {
        let mut spelled = Vec::new();
        key.encode(self.rows.layout, &mut spelled);
        ranges.iter().any(|(first, last)| *first <= spelled && spelled <= *last)
    }

    /// Every commit for a height that this store can still tell, the chain's own first; whether one holds is for
    /// [`Chain::prove`] to say.
    #[must_use]
    pub fn commits(&self, height: u64) -> Vec<Vec<u8>> {
        let rows = [BlockKey::Commit { height }, BlockKey::SeenCommit { height }];
        let stored = rows.into_iter().filter_map(|key| self.row(&key).ok().flatten());
        let above = height.checked_add(1).and_then(|above| self.block(above).ok()).and_then(|above| {
            let block = StoredBlock::new(&above.bytes).ok()?;
            Some(block.block.last_commit_bytes.to_vec())
        });
        above.into_iter().chain(stored).collect()
    }

    /// The commit for the block `id` as this node saw it, if it holds.
    #[must_use]
    pub fn seen_commit(&self, height: u64, id: &BlockId) -> Option<Vec<u8>> {
        let seen = self.row(&BlockKey::SeenCommit { height }).ok().flatten()?;
        let signers = self.validators.at(&self.rows, height).ok()?;
        let holds = self.signed(height, id, &Commit::decode(&seen).ok()?, &signers.keys).is_ok();
        holds.then_some(seen)
    }

    /// The stored block of a height, proven.
    ///
    /// # Errors
    /// What is missing, damaged or unsigned.
    pub fn block(&self, height: u64) -> Result<Proven, Unproven> {
        let meta = self.rows.require(&BlockKey::Meta { height }, height)?;
        let meta = BlockMeta::decode(&meta).map_err(Unproven::decode(height, "block meta"))?;
        let bytes = self.assemble(height, &meta)?;
        let commit = self.commit(height)?;
        let extended = self.rows.fetch(&BlockKey::ExtendedCommit { height }, height)?;
        let proven = self.prove(height, bytes, commit, extended)?;
        let named = meta.block_id.to_proof();
        if named != Some(proven.id) {
            let actual = named.map_or_else(|| "none".to_owned(), |id| id.to_string());
            return Err(Unproven::Name { height, expected: proven.id.to_string(), actual });
        }
        Ok(proven)
    }

    /// Proves a block from outside: `commit` is a `Commit` of its height, `extended` an `ExtendedCommit`.
    ///
    /// # Errors
    /// What does not fit, is not signed, or cannot be known here.
    pub fn prove(
        &self,
        height: u64,
        bytes: Vec<u8>,
        commit: Vec<u8>,
        extended: Option<Vec<u8>>,
    ) -> Result<Proven, Unproven> {
        let id = self.inspect(height, &bytes, &commit, extended.as_deref())?;
        Ok(Proven { height, id, bytes, commit, extended_commit: extended })
    }

    fn inspect(&self, height: u64, bytes: &[u8], commit: &[u8], extended: Option<&[u8]>) -> Result<BlockId, Unproven> {
        let stored = StoredBlock::new(bytes).map_err(|source| Unproven::Block { height, source })?;
        if stored.height() != height {
            return Err(Unproven::OtherHeight { height, actual: stored.height() });
        }
        bind(height, &stored)?;
        let id = stored.id().to_proof().expect("a computed name has hashes of 32 bytes");
        let signers = self.validators.at(&self.rows, height)?;
        if stored.block.header.validators_hash != signers.hash {
            return Err(Unproven::hash(height, "validators", stored.block.header.validators_hash, &signers.hash));
        }
        let commit = Commit::decode(commit).map_err(Unproven::decode(height, "commit"))?;
        self.signed(height, &id, &commit, &signers.keys)?;
        if let Some(extended) = extended {
            let extended = ExtendedCommit::decode(extended).map_err(Unproven::decode(height, "extended commit"))?;
            self.signed(height, &id, &votes_of(&extended), &signers.keys)?;
            self.extensions_signed(height, &extended, &signers.keys)?;
        }
        Ok(id)
    }

    /// Checks that more than two thirds of the power signed `id` by this commit.
    fn signed(&self, height: u64, id: &BlockId, commit: &Commit<'_>, keys: &ValidatorSet) -> Result<(), Unproven> {
        let proof = commit.to_proof().ok_or(Unproven::NoCommit { height })?;
        let failed = |source| Unproven::Commit { height, source };
        proof.is_for(height.cast_signed(), id).map_err(failed)?;
        proof.verify(&self.chain_id, keys).map_err(failed)?;
        Ok(())
    }

    fn extensions_signed(&self, height: u64, commit: &ExtendedCommit<'_>, keys: &ValidatorSet) -> Result<(), Unproven> {
        let mut batch = SignatureBatch::new();
        let mut message = Vec::new();
        for (index, (signature, validator)) in commit.signatures.iter().zip(keys.validators()).enumerate() {
            if signature.vote.flag != Flag::Commit {
                continue;
            }
            message.clear();
            let chain_id = self.chain_id.as_bytes();
            put_extension_sign_bytes(&mut message, chain_id, height, commit.round, signature.extension);
            batch.push(validator.key(), &message, signature.extension_signature, index);
        }
        batch
            .finish()
            .map_err(|bad| Unproven::Extension { height, index: bad.tags.into_iter().min().unwrap_or_default() })
    }

    /// The bytes of a stored block, each part held against the name in its meta.
    fn assemble(&self, height: u64, meta: &BlockMeta<'_>) -> Result<Vec<u8>, Unproven> {
        let header = meta.block_id.part_set_header;
        let mut bytes = Vec::new();
        for part in 0..header.total {
            let value = self.rows.require(&BlockKey::Part { height, part }, height)?;
            let decoded = Part::decode(&value).map_err(Unproven::decode(height, "block part"))?;
            decoded.verify(part, &header).map_err(|source| Unproven::Part { height, part, source })?;
            bytes.extend_from_slice(decoded.bytes);
        }
        Ok(bytes)
    }

    /// The commit that the block above holds, or at the tip the one that the node saw.
    fn commit(&self, height: u64) -> Result<Vec<u8>, Unproven> {
        match self.rows.fetch(&BlockKey::Commit { height }, height)? {
            Some(commit) => Ok(commit),
            None => self.rows.require(&BlockKey::SeenCommit { height }, height),
        }
    }
}

/// Checks what the header says of the rest of the block.
fn bind(height: u64, stored: &StoredBlock<'_>) -> Result<(), Unproven> {
    let (block, header) = (&stored.block, &stored.block.header);
    // The first block has no commit below it and says so by the hash of nothing, or in old chains by none.
    let last_commit = block.last_commit.hash();
    let bound = [
        ("data", header.data_hash, block.data_hash()),
        ("evidence", header.evidence_hash, block.evidence_hash()),
        ("last commit", header.last_commit_hash, last_commit),
    ];
    for (what, named, computed) in bound {
        if named != computed && !(named.is_empty() && computed == proofs::merkle::EMPTY_ROOT) {
            return Err(Unproven::hash(height, what, named, &computed));
        }
    }
    Ok(())
}

/// The votes of a commit with extensions.
fn votes_of<'a>(extended: &ExtendedCommit<'a>) -> Commit<'a> {
    let signatures = extended.signatures.iter().map(|signature| signature.vote).collect();
    Commit { height: extended.height, round: extended.round, block_id: extended.block_id, signatures }
}
