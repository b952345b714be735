//! Dialects: how releases encode the same values, and the conversion of one value from any of them to another.
//!
//! | value | v0.34 to v0.40 | v1.0 |
//! |---|---|---|
//! | validator | `pub_key` 2 | `pub_key_bytes` 5, `pub_key_type` 6 |
//! | validator update | `pub_key` 1 | `pub_key_bytes` 3, `pub_key_type` 4 |
//! | parameters | `abci` 5; v0.40 also `authority` 6 | `synchrony` 6, `feature` 7 |
//!
//! The form is decided for each record, and in it for each field, never for a store: a store that an in-place upgrade
//! went through holds several dialects. Only what must change is encoded anew; every other field, unknown ones too, is
//! copied as it stands, and a record that is in the wanted form already comes out unchanged. Blocks, headers, commits
//! and votes have one form in all dialects and are never touched: signatures cover their bytes.
//!
//! No time, nonce or random number is made anew here: times are copied as they stand, Go's zero time included; a zero
//! number or empty byte string that a message leaves out stays left out, an empty message that is there stays there.
//! Source: proto/cometbft/types/v1 and proto/cometbft/abci/v1 (v1.0.1), proto/tendermint (v0.34 to v0.40).

mod error;
mod evidence;
mod field;
mod form;
mod loss;
mod params;
#[cfg(test)]
mod properties;
mod results;
mod state;
mod validator;

use std::fmt;

use proofs::commit::KeyType;
use serde::{Deserialize, Serialize};

pub use error::ConvertError;
use form::Form;
pub use loss::{Loss, loss_of_record, loss_of_results, loss_of_state};

use super::class::Kind;
use super::key::StateRecord;
use super::wire::Reader;

/// How values are encoded, named by the first release that does so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// v0.34.
    V0_34,
    /// v0.37.
    V0_37,
    /// v0.38.
    V0_38,
    /// v0.39 and v0.40: as v0.38, with an authority in the parameters.
    V0_40,
    /// v1.0.
    V1_0,
}

impl Dialect {
    /// All of them, oldest first.
    pub const ALL: [Self; 5] = [Self::V0_34, Self::V0_37, Self::V0_38, Self::V0_40, Self::V1_0];

    /// Its name, as on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V0_34 => "v0_34",
            Self::V0_37 => "v0_37",
            Self::V0_38 => "v0_38",
            Self::V0_40 => "v0_40",
            Self::V1_0 => "v1_0",
        }
    }

    /// The dialect of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A dialect that values can be converted to. To v0.34 and v0.37 there is no way back: they keep what an application
/// answers in another message, which cannot say what the later one says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// v0.38.
    V0_38,
    /// v0.39 and v0.40.
    V0_40,
    /// v1.0.
    V1_0,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::V0_38, Self::V0_40, Self::V1_0];

    /// The dialect.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::V0_38 => Dialect::V0_38,
            Self::V0_40 => Dialect::V0_40,
            Self::V1_0 => Dialect::V1_0,
        }
    }

    /// The target that is this dialect; `None` for those that nothing is converted to.
    #[must_use]
    pub fn of(dialect: Dialect) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.dialect() == dialect)
    }

    /// Whether releases of the dialect know keys of a kind. v0.40 knows BLS12-381 only when it is built for it.
    #[must_use]
    pub const fn knows(self, kind: KeyType) -> bool {
        match kind {
            KeyType::Ed25519 | KeyType::Secp256k1 => true,
            KeyType::Bls12381 => !matches!(self, Self::V0_38),
            KeyType::MlDsa65 => !matches!(self, Self::V1_0),
            KeyType::Secp256k1Eth => matches!(self, Self::V0_40),
            // A kind that nobody has said anything about.
            _ => false,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dialect().fmt(f)
    }
}

/// What a conversion did to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the value is in the wanted form already, or has one form only.
    None,
    /// The buffer holds the new value.
    Rewritten,
}

/// Converts one value of a record of `kind`. `out` is emptied and, if the value changes, holds the new one.
///
/// # Errors
/// When the value does not decode as far as it must be looked into, or the target cannot say it.
pub fn convert(kind: Kind, value: &[u8], to: Target, out: &mut Vec<u8>) -> Result<Change, ConvertError> {
    write(kind, value, to.into(), out)
}

/// Gives one value of a record of `kind` the form that is the same whichever dialect it was in. `out` as for
/// [`convert`].
///
/// Keys of validators have the form of v1.0, of any kind of key. Of parameters, fields 5 to 7 become one field 7 with
/// the heights that say when vote extensions and proposer-based time begin; in a full record both are there, zero too,
/// in an update only those that say something. What only one dialect can say is left out: synchrony (v1.0) and the
/// authority (v0.40). All other fields, unknown ones too, are copied as they stand.
///
/// # Errors
/// When the value does not decode as far as it must be looked into, or says one thing in two ways that differ.
pub fn canonical(kind: Kind, value: &[u8], out: &mut Vec<u8>) -> Result<Change, ConvertError> {
    write(kind, value, Form::Canonical, out)
}

fn write(kind: Kind, value: &[u8], to: Form, out: &mut Vec<u8>) -> Result<Change, ConvertError> {
    out.clear();
    match kind {
        Kind::Validators => validator::info(value, to, out)?,
        Kind::ConsensusParams => params::info(value, to, out)?,
        Kind::AbciResponses => return results::response(value, to, out),
        Kind::PendingEvidence => evidence::evidence(value, to, out)?,
        Kind::LightBlock => {
            evidence::light_block(Reader::new(value), to, out).map_err(|error| error.within("LightBlock"))?;
        }
        Kind::State(StateRecord::State) => state::state(value, to, out)?,
        Kind::State(StateRecord::LastAbciResponse) => results::last(value, to, out)?,
        _ => return Ok(Change::None),
    }
    Ok(if out == value { Change::None } else { Change::Rewritten })
}

/// The value of `lastABCIResponseKey` for the answers to the block at `height`, as `abciResponsesKey` has them.
#[must_use]
pub fn last_response(height: u64, response: &[u8]) -> Vec<u8> {
    results::last_of(height, response)
}

/// Height and answers of a value of `lastABCIResponseKey`, the answers as `abciResponsesKey` would have them.
///
/// # Errors
/// When the value does not decode.
pub fn split_last_response(value: &[u8]) -> Result<(u64, Option<&[u8]>), ConvertError> {
    Ok(results::split_last(value)?)
}
