//! The words of `fetch`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::peer::{Patience, Peer};

/// Arguments of `fetch`.
#[derive(Debug, Args)]
pub(crate) struct Fetch {
    /// The node's folder, which holds config/ and data/: its chain says what is proven.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Who is asked: a node, as id@host:port (classic) or host:port@12D3KooW.. (libp2p: our own protocols first, then
    /// CometBFT's) or a multiaddress ending in /p2p/12D3KooW.. (our own protocols); another home; a folder that `fetch` has
    /// written (may be repeated; folders are asked first).
    #[arg(long, value_name = "PEER", required = true)]
    pub(crate) from: Vec<Peer>,
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// The heights, both ends included, or a single one.
    #[arg(long, value_name = "A..B")]
    pub(crate) heights: HeightRange,
    /// Ask only for heights whose blocks are damaged or missing in this home.
    #[arg(long)]
    pub(crate) damaged: bool,
    /// Write each proven block, with what proves it, into this folder: for an auditor, or for `run --on-corrupt repair --from`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

/// Heights from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeightRange {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl FromStr for HeightRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let height = |text: &str| text.parse::<u64>().ok().filter(|height| *height > 0);
        match (height(first), height(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            (Some(_), Some(_)) => Err("the first height is above the last".to_owned()),
            _ => Err("heights are given as 120..150, or as 120".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HeightRange;

    #[test]
    fn heights_are_read() {
        assert_eq!("120..150".parse(), Ok(HeightRange { first: 120, last: 150 }));
        assert_eq!("7".parse(), Ok(HeightRange { first: 7, last: 7 }));
        for wrong in ["", "..", "5..", "..5", "9..3", "0..3", "-1", "3...5"] {
            assert!(wrong.parse::<HeightRange>().is_err(), "{wrong}");
        }
    }
}
