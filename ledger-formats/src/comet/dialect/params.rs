//! Consensus parameters: where vote extensions are enabled, and what only one side has.
//!
//! ```text
//! v0.38 5 {1: height}                  always there in a full record, empty for height 0
//! v0.40 6 {1: authority}               as above, behind 5
//! v1.0  6 {1: precision, 2: delay}     always there in a full record, next to 7
//!       7 {1: {1: height}, 2: {1: height of proposer-based time}}
//! ```
//! Field 6 has two meanings. A full record of v1.0 has 7 and never 5, one of v0.40 has 5 and never 7; where that does
//! not tell, its content does ([`ConsensusParams::sixth`]). In an update an absent part means no change.

use super::field::{message, once};
use super::{ConvertError, Form, Target};
use crate::comet::params::{ConsensusParams, Sixth};
use crate::comet::wire::{Decode, Reader, put_message, put_uint};

/// `consensusParamsKey`: the parameters in field 1, empty in a sparse record.
pub(super) fn info(value: &[u8], to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let convert = |mut reader: Reader<'_>, out: &mut Vec<u8>| {
        while let Some(field) = reader.next()? {
            match field.number {
                1 => {
                    once(&field, "consensus_params")?;
                    message(&field, "consensus_params", out, |reader, out| full(reader, to, out))?;
                }
                _ => out.extend_from_slice(field.raw),
            }
        }
        Ok(())
    };
    convert(Reader::new(value), out).map_err(|error: ConvertError| error.within("ConsensusParamsInfo"))
}

/// Parameters as a whole.
pub(super) fn full(reader: Reader<'_>, to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let params = ConsensusParams::read(reader.clone())?;
    let wanted = match to {
        Form::Canonical => canonical(&reader, &params)?,
        Form::Of(_) if params.is_empty() => Wanted::AS_IT_IS,
        Form::Of(target) => whole(&reader, &params, target)?,
    };
    write(reader, &wanted, out)
}

/// Parameters of which only the parts that change are there.
pub(super) fn update(reader: Reader<'_>, to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let params = ConsensusParams::read(reader.clone())?;
    let wanted = match to {
        Form::Canonical => canonical_update(&reader, &params)?,
        Form::Of(Target::V1_0) => update_for_v1(&params),
        Form::Of(target) => update_before_v1(&reader, &params, target)?,
    };
    write(reader, &wanted, out)
}

fn whole(reader: &Reader<'_>, params: &ConsensusParams<'_>, to: Target) -> Result<Wanted, ConvertError> {
    let is_v1 = is_v1(params);
    let mut wanted = Wanted::AS_IT_IS;
    match to {
        Target::V1_0 if is_v1 => {}
        Target::V1_0 => {
            wanted.fifth = Own::Drop;
            wanted.sixth = Own::Put(Part::ZeroSynchrony);
            wanted.seventh = Own::Put(Part::feature(params.vote_extensions_enable_height(), 0));
        }
        Target::V0_38 | Target::V0_40 => {
            if is_v1 {
                refuse_proposer_time(reader, params)?;
                wanted = Wanted::NONE;
                wanted.fifth = Own::Put(Part::Abci(extension_height(reader, params)?));
            }
            if to == Target::V0_38 {
                wanted.sixth = Own::Drop;
            } else if is_v1 || params.sixth_bytes.is_none() {
                wanted.sixth = Own::Put(Part::NoAuthority);
            }
        }
    }
    Ok(wanted)
}

/// What all dialects can say, in field 7. Nothing where nothing is set, so that a sparse record stays as it is.
fn canonical(reader: &Reader<'_>, params: &ConsensusParams<'_>) -> Result<Wanted, ConvertError> {
    let (extensions, proposer_time) = (extension_height(reader, params)?, params.pbts_enable_height());
    let others = ConsensusParams { abci: None, sixth_bytes: None, feature: None, ..params.clone() };
    let mut wanted = Wanted::NONE;
    if extensions > 0 || proposer_time > 0 || !others.is_empty() {
        wanted.seventh = Own::Put(Part::feature(extensions, proposer_time));
    }
    Ok(wanted)
}

fn canonical_update(reader: &Reader<'_>, params: &ConsensusParams<'_>) -> Result<Wanted, ConvertError> {
    let is_told = feature_height(params).is_some() || params.abci.is_some();
    let extensions = if is_told { Some(extension_height(reader, params)?) } else { None };
    // A zero says what an absent height says: proposer-based time stays off.
    let proposer_time = Some(params.pbts_enable_height()).filter(|height| *height > 0);
    let mut wanted = Wanted::NONE;
    if extensions.is_some() || proposer_time.is_some() {
        wanted.seventh = Own::Put(Part::Feature { extensions, proposer_time });
    }
    Ok(wanted)
}

fn update_for_v1(params: &ConsensusParams<'_>) -> Wanted {
    let mut wanted = Wanted::AS_IT_IS;
    if params.feature.is_some() {
        return wanted;
    }
    wanted.fifth = Own::Drop;
    if let Some(abci) = params.abci {
        let extensions = Some(abci.vote_extensions_enable_height);
        wanted.seventh = Own::Put(Part::Feature { extensions, proposer_time: None });
    }
    if !matches!(params.sixth(), Some(Sixth::Synchrony { .. })) {
        wanted.sixth = Own::Drop;
    }
    wanted
}

fn update_before_v1(reader: &Reader<'_>, params: &ConsensusParams<'_>, to: Target) -> Result<Wanted, ConvertError> {
    refuse_proposer_time(reader, params)?;
    let height = extension_height(reader, params)?;
    let mut wanted = Wanted::AS_IT_IS;
    if feature_height(params).is_some() {
        wanted.fifth = Own::Put(Part::Abci(height));
    }
    wanted.seventh = Own::Drop;
    if is_v1(params) || to == Target::V0_38 {
        wanted.sixth = Own::Drop;
    }
    Ok(wanted)
}

/// Whether v1.0 wrote the parameters.
fn is_v1(params: &ConsensusParams<'_>) -> bool {
    params.feature.is_some() || matches!(params.sixth(), Some(Sixth::Synchrony { .. }))
}

/// Height of vote extensions that field 7 says, if it says one.
fn feature_height(params: &ConsensusParams<'_>) -> Option<u64> {
    params.feature.and_then(|feature| feature.vote_extensions_enable_height)
}

/// Refuses what no release before v1.0 has.
fn refuse_proposer_time(reader: &Reader<'_>, params: &ConsensusParams<'_>) -> Result<(), ConvertError> {
    match params.pbts_enable_height() {
        0 => Ok(()),
        height => Err(ConvertError::ProposerTime { place: reader.place("feature.pbts_enable_height"), height }),
    }
}

/// Height of vote extensions, by field 7 or, where that is 0, by field 5.
fn extension_height(reader: &Reader<'_>, params: &ConsensusParams<'_>) -> Result<u64, ConvertError> {
    let feature = feature_height(params).unwrap_or(0);
    let abci = params.abci.unwrap_or_default().vote_extensions_enable_height;
    if feature > 0 && abci > 0 {
        let place = reader.place("vote_extensions_enable_height");
        return Err(ConvertError::TwoExtensionHeights { place, feature, abci });
    }
    Ok(feature.max(abci))
}

/// What happens to the three fields that differ between dialects.
struct Wanted {
    fifth: Own,
    sixth: Own,
    seventh: Own,
}

impl Wanted {
    const AS_IT_IS: Self = Self { fifth: Own::Keep, sixth: Own::Keep, seventh: Own::Keep };
    const NONE: Self = Self { fifth: Own::Drop, sixth: Own::Drop, seventh: Own::Drop };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    Keep,
    Drop,
    Put(Part),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Abci(u64),
    NoAuthority,
    ZeroSynchrony,
    /// Heights that are absent say no change.
    Feature {
        extensions: Option<u64>,
        proposer_time: Option<u64>,
    },
}

impl Part {
    /// The features of a full record.
    const fn feature(extensions: u64, proposer_time: u64) -> Self {
        Self::Feature { extensions: Some(extensions), proposer_time: Some(proposer_time) }
    }

    fn put(self, out: &mut Vec<u8>) {
        let height = |out: &mut Vec<u8>, number, height| put_message(out, number, |out| put_uint(out, 1, height));
        match self {
            Self::Abci(value) => height(out, 5, value),
            Self::NoAuthority => put_message(out, 6, |_| {}),
            Self::ZeroSynchrony => put_message(out, 6, |out| {
                put_message(out, 1, |_| {});
                put_message(out, 2, |_| {});
            }),
            Self::Feature { extensions, proposer_time } => put_message(out, 7, |out| {
                for (number, value) in [(1, extensions), (2, proposer_time)] {
                    if let Some(value) = value {
                        height(out, number, value);
                    }
                }
            }),
        }
    }
}

fn write(mut reader: Reader<'_>, wanted: &Wanted, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let own = [(5, wanted.fifth), (6, wanted.sixth), (7, wanted.seventh)];
    let mut open = own.iter();
    let mut put_below = |number: u32, out: &mut Vec<u8>| {
        while let Some((_, own)) = open.as_slice().first().filter(|(own, _)| *own < number) {
            open.next();
            if let Own::Put(part) = own {
                part.put(out);
            }
        }
    };
    while let Some(field) = reader.next()? {
        put_below(field.number, out);
        let kept = own.iter().find(|(number, _)| *number == field.number).is_none_or(|(_, own)| *own == Own::Keep);
        if kept {
            out.extend_from_slice(field.raw);
        }
    }
    put_below(u32::MAX, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: &str = "0a0a08808080021080ade204 120e08a08d0612040880c60a18808040 1a090a0765643235353139 2200";

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        hex::decode(hexadecimal.replace(' ', "")).expect("hex")
    }

    fn whole(last: &str, to: Target) -> Result<String, ConvertError> {
        let value = bytes(&format!("{COMMON} {last}"));
        let mut out = Vec::new();
        full(Reader::new(&value), to.into(), &mut out)?;
        let common = bytes(COMMON).len();
        assert_eq!(out[..common], value[..common], "the common part stays");
        Ok(hex::encode(&out[common..]))
    }

    fn part(value: &str, to: Target) -> String {
        let mut out = Vec::new();
        update(Reader::new(&bytes(value)), to.into(), &mut out).expect("converts");
        hex::encode(out)
    }

    const SYNCHRONY: &str = "320c0a0610c0e0e6f0011202080f";

    #[test]
    fn full_records_equal_what_each_release_writes() {
        let never = format!("{SYNCHRONY}3a040a001200");
        let from_25 = format!("{SYNCHRONY}3a060a0208191200");
        for (from, to, expected) in [
            (never.as_str(), Target::V0_38, "2a00"),
            (&never, Target::V0_40, "2a003200"),
            (&never, Target::V1_0, &never),
            (&from_25, Target::V0_38, "2a020819"),
            (&from_25, Target::V0_40, "2a0208193200"),
            ("2a00", Target::V0_38, "2a00"),
            ("", Target::V0_38, ""),
            ("", Target::V0_40, "3200"),
            ("2a003200", Target::V0_40, "2a003200"),
            ("2a003200", Target::V0_38, "2a00"),
            ("2a00", Target::V1_0, "32040a0012003a040a001200"),
            ("2a020819", Target::V1_0, "32040a0012003a060a0208191200"),
            ("2a003200", Target::V1_0, "32040a0012003a040a001200"),
            ("", Target::V1_0, "32040a0012003a040a001200"),
            // The old field counts where the new one says 0, and unknown fields stay.
            ("2a0208193a040a001200", Target::V0_38, "2a020819"),
            ("2a004a0161", Target::V1_0, "32040a0012003a040a0012004a0161"),
            ("2a00320b0a09636f736d6f733161 62", Target::V0_40, "2a00320b0a09636f736d6f73316162"),
        ] {
            assert_eq!(whole(from, to).expect(from), expected, "{from} to {to}");
        }
    }

    #[test]
    fn updates_say_no_more_than_they_said() {
        for (from, to, expected) in [
            ("3a040a020864", Target::V0_38, "2a020864"),
            ("3a020a00", Target::V0_38, "2a00"),
            ("0a0408051006 3a040a020864", Target::V0_38, "0a04080510062a020864"),
            (SYNCHRONY, Target::V0_38, ""),
            (SYNCHRONY, Target::V0_40, ""),
            ("2a020864", Target::V1_0, "3a040a020864"),
            ("2a00", Target::V1_0, "3a020a00"),
            ("32050a03616263", Target::V1_0, ""),
            ("32050a03616263", Target::V0_40, "32050a03616263"),
            ("0a0408051006", Target::V1_0, "0a0408051006"),
        ] {
            assert_eq!(part(from, to), expected, "{from} to {to}");
        }
    }

    #[test]
    fn sparse_records_of_all_releases_stay() {
        for sparse in ["0a001001", "0a0a 0a00 1202 1200 1a00 2200 1001"] {
            for to in Target::ALL {
                let mut out = Vec::new();
                info(&bytes(sparse), to.into(), &mut out).expect("converts");
                assert_eq!(out, bytes(sparse));
            }
        }
    }

    #[test]
    fn proposer_based_time_and_two_heights_are_refused() {
        let error = whole("3a060a0012020864", Target::V0_38).expect_err("refused");
        assert_eq!(
            error,
            ConvertError::ProposerTime { place: Reader::new(&[]).place("feature.pbts_enable_height"), height: 100 }
        );
        let mut out = Vec::new();
        assert!(update(Reader::new(&bytes("3a0412020864")), Target::V0_40.into(), &mut out).is_err());
        assert!(matches!(
            whole("2a020805 3a060a0208191200", Target::V0_38),
            Err(ConvertError::TwoExtensionHeights { feature: 25, abci: 5, .. })
        ));
    }
}
