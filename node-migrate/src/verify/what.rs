//! The kinds of findings: a stable name for programs, and what an operator does about each.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a finding is about. Names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// Bytes that the engine's reader cannot read.
    Unreadable,
    /// A shard has another number of rows or bytes than the source had.
    Count,
    /// A shard has other keys or values than the source had.
    Digest,
    /// A row where the source had none.
    Outside,
    /// A value is not the message that its key announces.
    Undecodable,
    /// A row that must be there is not.
    Missing,
    /// A row at a height or place where none can be.
    Unexpected,
    /// Base or height of the block store.
    StoreState,
    /// A value is about another height than its key.
    Height,
    /// The name of the chain.
    ChainId,
    /// A part of a block, its bytes or its proof.
    PartHash,
    /// The size of a block.
    BlockSize,
    /// The hash of a header against the block id.
    BlockHash,
    /// The header in the meta against the header in the block.
    MetaHeader,
    /// The number of transactions.
    TxCount,
    /// The root over the transactions.
    DataHash,
    /// The root over the evidence.
    EvidenceHash,
    /// The root over the signatures of the last commit.
    LastCommitHash,
    /// The commit of a height against the last commit of the block above.
    LastCommit,
    /// The block id that the block above names.
    LastBlockId,
    /// The index from block hashes to heights.
    BlockIndex,
    /// The root over the validators.
    ValidatorsHash,
    /// The address of a validator against its key.
    ValidatorAddress,
    /// The root over the validators of the next height.
    NextValidatorsHash,
    /// The proposer of a block.
    Proposer,
    /// Whose turn it is to propose, and the priorities that decide it.
    ProposerPriority,
    /// The hash of the consensus parameters.
    ConsensusHash,
    /// Consensus parameters that the hash does not cover.
    ConsensusParams,
    /// The root over the results of a block.
    ResultsHash,
    /// What the application answered to a block.
    AppHash,
    /// The time of a block.
    HeaderTime,
    /// A commit is not for the block of its height.
    CommitBlock,
    /// A commit has another number of places than there are validators.
    CommitSize,
    /// An address in a commit is not that of the validator at its place.
    CommitAddress,
    /// Two thirds of the power or less signed.
    CommitPower,
    /// A signature of a vote.
    CommitSignature,
    /// A signature of a vote extension, or its absence.
    ExtensionSignature,
    /// Databases that are not of one height, or not of one chain.
    Tip,
    /// Evidence in its store.
    Evidence,
    /// A row of the transaction index.
    TxIndex,
}

impl What {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Count => "count",
            Self::Digest => "digest",
            Self::Outside => "outside",
            Self::Undecodable => "undecodable",
            Self::Missing => "missing",
            Self::Unexpected => "unexpected",
            Self::StoreState => "store-state",
            Self::Height => "height",
            Self::ChainId => "chain-id",
            Self::PartHash => "part-hash",
            Self::BlockSize => "block-size",
            Self::BlockHash => "block-hash",
            Self::MetaHeader => "meta-header",
            Self::TxCount => "tx-count",
            Self::DataHash => "data-hash",
            Self::EvidenceHash => "evidence-hash",
            Self::LastCommitHash => "last-commit-hash",
            Self::LastCommit => "last-commit",
            Self::LastBlockId => "last-block-id",
            Self::BlockIndex => "block-index",
            Self::ValidatorsHash => "validators-hash",
            Self::ValidatorAddress => "validator-address",
            Self::NextValidatorsHash => "next-validators-hash",
            Self::Proposer => "proposer",
            Self::ProposerPriority => "proposer-priority",
            Self::ConsensusHash => "consensus-hash",
            Self::ConsensusParams => "consensus-params",
            Self::ResultsHash => "results-hash",
            Self::AppHash => "app-hash",
            Self::HeaderTime => "header-time",
            Self::CommitBlock => "commit-block",
            Self::CommitSize => "commit-size",
            Self::CommitAddress => "commit-address",
            Self::CommitPower => "commit-power",
            Self::CommitSignature => "commit-signature",
            Self::ExtensionSignature => "extension-signature",
            Self::Tip => "tip",
            Self::Evidence => "evidence",
            Self::TxIndex => "tx-index",
        }
    }

    /// What an operator does about it.
    #[must_use]
    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::Unreadable => {
                "if this is a copy, check the disk and memory, discard the migration and run it again; if it is the node's own \
                 database, restore it from a backup or by state sync"
            }
            Self::Count | Self::Digest | Self::Outside => {
                "the copy is not what was read from the source: check the disk and memory of this machine, discard the \
                 migration and run it again; the source was not touched"
            }
            Self::Tip => {
                "the databases were not written by one node at one time: migrate databases that were taken together, or \
                 restore the home from one backup"
            }
            Self::TxIndex => {
                "run `verify --live` on the source: if it says the same, rebuild the index with the node's `reindex-event`; if \
                 not, discard the migration and run it again"
            }
            _ => {
                "run `verify --live` on the source: if it says the same, the node's own data is damaged and needs a backup or \
                 state sync; if not, discard the migration and run it again"
            }
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for What {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
