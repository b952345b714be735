//! At which heights votes carry extensions, by the consensus parameters in the state store.

use ledger_formats::comet::key::StateKey;
use ledger_formats::comet::{ConsensusParamsInfo, Decode};

use super::unproven::Unproven;
use super::{Chain, Proven};

impl Chain<'_> {
    /// The extended commit of a height, which is there exactly where votes carried extensions: a node refuses a block that
    /// comes without it there, and one that comes with it elsewhere.
    ///
    /// # Errors
    /// [`Unproven::Missing`] where it should be and is not, or when the parameters of the height are not there.
    pub fn required_extended_commit(&self, proven: &mut Proven) -> Result<Option<Vec<u8>>, Unproven> {
        let height = proven.height;
        if !self.extensions_at(height)? {
            return Ok(None);
        }
        let found = proven.extended_commit.take();
        found.map(Some).ok_or(Unproven::Missing { height, what: "extended commit" })
    }

    /// Whether votes of `height` carry extensions.
    fn extensions_at(&self, height: u64) -> Result<bool, Unproven> {
        let row = |stored_at| {
            let found = self.rows.state_row(&StateKey::ConsensusParams { height: stored_at }, height)?;
            found.ok_or(Unproven::Missing { height, what: "record of its consensus parameters" })
        };
        let value = row(height)?;
        let read = |value| ConsensusParamsInfo::decode(value).map_err(Unproven::decode(height, "consensus parameters"));
        let info = read(&value)?;
        let full;
        let params = if info.consensus_params.is_empty() && info.last_height_changed < height {
            full = row(info.last_height_changed)?;
            read(&full)?.consensus_params
        } else {
            info.consensus_params
        };
        let feature = params.feature.unwrap_or_default();
        let from = feature.vote_extensions_enable_height.or(params.abci.map(|abci| abci.vote_extensions_enable_height));
        Ok(from.is_some_and(|from| from > 0 && height >= from))
    }
}
