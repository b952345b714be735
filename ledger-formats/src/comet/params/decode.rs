//! Decoding of the parameter messages. All fields have the same numbers in every dialect, except field 6.

use super::{
    AbciParams, BlockParams, ConsensusParams, ConsensusParamsInfo, Duration, EvidenceParams, FeatureParams,
    ValidatorParams, VersionParams,
};
use crate::comet::error::DecodeError;
use crate::comet::scalar::Int64Value;
use crate::comet::wire::{Decode, Reader};

impl<'a> Decode<'a> for ConsensusParams<'a> {
    const NAME: &'static str = "ConsensusParams";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut params = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => params.block = Some(field.message("block")?),
                2 => params.evidence = Some(field.message("evidence")?),
                3 => params.validator = Some(field.message("validator")?),
                4 => params.version = Some(field.message("version")?),
                5 => params.abci = Some(field.message("abci")?),
                6 => params.sixth_bytes = Some(field.bytes("synchrony or authority")?),
                7 => params.feature = Some(field.message("feature")?),
                _ => {}
            }
        }
        Ok(params)
    }
}

impl<'a> Decode<'a> for BlockParams {
    const NAME: &'static str = "BlockParams";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut params = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => params.max_bytes = field.i64("max_bytes")?,
                2 => params.max_gas = field.i64("max_gas")?,
                _ => {}
            }
        }
        Ok(params)
    }
}

impl<'a> Decode<'a> for EvidenceParams {
    const NAME: &'static str = "EvidenceParams";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut params = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => params.max_age_num_blocks = field.i64("max_age_num_blocks")?,
                2 => params.max_age_duration = field.message("max_age_duration")?,
                3 => params.max_bytes = field.i64("max_bytes")?,
                _ => {}
            }
        }
        Ok(params)
    }
}

impl<'a> Decode<'a> for Duration {
    const NAME: &'static str = "Duration";

    /// Strict: a field that a duration does not have is an error, since [`ConsensusParams::sixth`] decides by it.
    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut duration = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => duration.seconds = field.i64("seconds")?,
                2 => duration.nanos = field.i32("nanos")?,
                other => return Err(field.range("field", "field 1 or 2 of a duration", other.into())),
            }
        }
        Ok(duration)
    }
}

impl<'a> Decode<'a> for ValidatorParams<'a> {
    const NAME: &'static str = "ValidatorParams";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut params = Self::default();
        while let Some(field) = reader.next()? {
            if field.number == 1 {
                params.pub_key_types.push(field.each_bytes("pub_key_types")?);
            }
        }
        Ok(params)
    }
}

impl<'a> Decode<'a> for VersionParams {
    const NAME: &'static str = "VersionParams";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut params = Self::default();
        while let Some(field) = reader.next()? {
            if field.number == 1 {
                params.app = field.u64("app")?;
            }
        }
        Ok(params)
    }
}

impl<'a> Decode<'a> for AbciParams {
    const NAME: &'static str = "ABCIParams";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut params = Self::default();
        while let Some(field) = reader.next()? {
            if field.number == 1 {
                params.vote_extensions_enable_height = field.natural("vote_extensions_enable_height")?;
            }
        }
        Ok(params)
    }
}

impl<'a> Decode<'a> for FeatureParams {
    const NAME: &'static str = "FeatureParams";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut params = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => {
                    params.vote_extensions_enable_height =
                        Some(field.message::<Int64Value>("vote_extensions_enable_height")?.0)
                }
                2 => params.pbts_enable_height = Some(field.message::<Int64Value>("pbts_enable_height")?.0),
                _ => {}
            }
        }
        Ok(params)
    }
}

impl<'a> Decode<'a> for ConsensusParamsInfo<'a> {
    const NAME: &'static str = "ConsensusParamsInfo";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut info = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => info.consensus_params = field.message("consensus_params")?,
                2 => info.last_height_changed = field.natural("last_height_changed")?,
                _ => {}
            }
        }
        Ok(info)
    }
}
