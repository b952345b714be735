//! Blocks of real nodes, for tests: `number of the chain, height, hash or -, BlockResponse in hex`.

use std::collections::BTreeMap;

use super::message::Word;
use crate::source::{BlockSource, Offer, OfferedBlock, SourceError};

const BLOCKS: &str = include_str!("../../tests/it/data/blocks-of-real-nodes.txt");

/// A block as a node sent it.
#[derive(Clone, Debug)]
pub(super) struct Real {
    pub height: u64,
    /// Zeros where no node was asked for it.
    pub hash: [u8; 32],
    /// The payload in hex.
    pub response: String,
}

impl Real {
    pub(super) fn offered(&self) -> OfferedBlock {
        let payload = hex::decode(&self.response).expect("hex").into();
        let Ok(Word::Block { block, extended_commit }) = Word::decode(payload) else { panic!("a block expected") };
        OfferedBlock { height: self.height, hash: self.hash, block, extended_commit }
    }
}

/// The blocks of the three chains.
pub(super) fn blocks() -> Vec<Vec<Real>> {
    let mut chains: Vec<Vec<Real>> = Vec::new();
    for line in BLOCKS.lines() {
        let [chain, height, hash, response] = line.split(' ').collect::<Vec<_>>().try_into().expect("four columns");
        let chain: usize = chain.parse().expect("a number");
        chains.resize_with(chains.len().max(chain + 1), Vec::new);
        let mut bytes = [0; 32];
        if hash != "-" {
            hex::decode_to_slice(hash, &mut bytes).expect("a hash");
        }
        let height = height.parse().expect("a height");
        chains[chain].push(Real { height, hash: bytes, response: response.to_owned() });
    }
    chains
}

/// A source of such blocks.
pub(super) struct Golden {
    blocks: BTreeMap<u64, OfferedBlock>,
    /// A height that the source finds damaged.
    pub damaged: Option<u64>,
}

impl Golden {
    pub(super) fn of(blocks: Vec<Real>) -> Self {
        Self { blocks: blocks.iter().map(|block| (block.height, block.offered())).collect(), damaged: None }
    }
}

impl BlockSource for Golden {
    fn chain_id(&self) -> &str {
        "golden"
    }

    fn offer(&self) -> Option<Offer> {
        let (base, _) = self.blocks.first_key_value()?;
        let (top, _) = self.blocks.last_key_value()?;
        Some(Offer { base: *base, top: *top })
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        match self.damaged {
            Some(damaged) if damaged == height => Err(SourceError { height, reason: "damaged".to_owned() }),
            _ => Ok(self.blocks.get(&height).cloned()),
        }
    }
}

/// Name of a chain and the keys of its validators, in the order of the set.
pub(super) fn validators(chain: usize) -> (String, Vec<[u8; 32]>) {
    let (name, keys) = VALIDATORS[chain];
    let bytes = |key: &&str| hex::decode(key).expect("hex").try_into().expect("32 bytes");
    (name.to_owned(), keys.iter().map(bytes).collect())
}

const VALIDATORS: [(&str, &[&str]); 3] = [
    (
        "chain-I2KIzz",
        &[
            "164da0696abc66bfb87d4b749cdff4a34e441c54b77f6509207b42b07198dbd6",
            "ce113ffc999ed20d8390f6d02e3f41cc4e32b4963d3c58087f719b55bb4116e5",
            "788a2254f47f366cc2b23e1fdb7c47a4f454f27579a1ae873de5ab3d4e88b553",
            "8d1a1a62678a83ccd56591f3c6e3a3b3c6ebf9cd8e4f3d6560df31ca7f35eb17",
        ],
    ),
    (
        "chain-ZBh77A",
        &[
            "42cbb5d0db52ac6ecd6d0e13c37797329696832fa9280ae8d775b9915a9c88ea",
            "0fffbc761c8a89fe360208730b60c31600b0c9a2daf0d3f3417da7fd3f84924a",
            "439008e549ec6020591dcfec11069a764d32b21712a077f353080c660038a3f2",
            "89662bd88b8606c7c139bd1b4e842206d1bc55f56cae72fdbd7614dbdd098e4e",
        ],
    ),
    ("chain-9evwgs", &["acc93d7cbaaec21bf5c2ea4fcc2c4246e4b3e36e51976cb1e44e7abe92243907"]),
];
