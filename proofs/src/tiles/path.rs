//! The names of tiles.

use super::{TILE_HEIGHT, TILE_WIDTH};
use crate::encoding::decimal;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of nodes of height `8 * level`; level 0 has the leaf hashes.
    Hashes {
        /// The level of the tile, 0 to 7 in trees of up to 2^64 leaves.
        level: u8,
    },
    /// The leaves' data.
    Entries,
}

impl TileKind {
    /// Hashes at a level that a tree can have.
    pub(super) fn hashes(level: u32) -> Self {
        Self::Hashes { level: u8::try_from(level).unwrap_or(u8::MAX) }
    }
}

/// Names a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// Why text does not name a tile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} does not name a tile")]
pub struct TilePathError {
    /// The text.
    pub path: String,
}

impl TilePath {
    /// The tile of `kind` at `index` in a tree of `size` leaves: a full one, or the partial one at the right edge;
    /// none if the tree does not reach so far.
    #[must_use]
    pub fn in_tree(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let level = match kind {
            TileKind::Hashes { level } => u32::from(level),
            TileKind::Entries => 0,
        };
        let nodes = size.checked_shr(TILE_HEIGHT * level).unwrap_or(0);
        let left = nodes.checked_sub(index.checked_mul(u64::from(TILE_WIDTH))?).filter(|left| *left > 0)?;
        let width = u16::try_from(left).map_or(TILE_WIDTH, |left| left.min(TILE_WIDTH));
        Some(Self { kind, index, width })
    }

    /// What the tile holds.
    #[must_use]
    pub const fn kind(self) -> TileKind {
        self.kind
    }

    /// Its number within its level.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has, 1 to 256.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Reads a name, as it is displayed.
    ///
    /// # Errors
    /// [`TilePathError`].
    pub fn parse(text: &str) -> Result<Self, TilePathError> {
        Self::parse_parts(text).ok_or_else(|| TilePathError { path: text.to_owned() })
    }

    fn parse_parts(text: &str) -> Option<Self> {
        let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes { level: u8::try_from(decimal(level).ok()?).ok().filter(|level| *level < 64)? },
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((index, width)) => {
                (index, u16::try_from(decimal(width).ok()?).ok().filter(|width| (1..TILE_WIDTH).contains(width))?)
            }
        };
        Some(Self { kind, index: parse_index(index)?, width })
    }
}

fn parse_index(text: &str) -> Option<u64> {
    let mut elements = text.split('/').rev();
    // The last element has three digits, each one before it an "x" and three more; the first is not x000.
    let digits = |element: &str| {
        let is_number = element.len() == 3 && element.bytes().all(|byte| byte.is_ascii_digit());
        element.parse::<u64>().ok().filter(|_| is_number)
    };
    let mut index = digits(elements.next()?)?;
    let mut unit: u64 = 1;
    for element in elements {
        unit = unit.checked_mul(1_000)?;
        index = index.checked_add(digits(element.strip_prefix('x')?)?.checked_mul(unit)?)?;
    }
    if unit > 1 && index < unit { None } else { Some(index) }
}

impl std::fmt::Display for TilePath {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(formatter, "tile/{level}/")?,
            TileKind::Entries => formatter.write_str("tile/entries/")?,
        }
        // A number of 64 bits has at most seven groups of three digits.
        for group in (1..7).rev() {
            let higher = self.index / 1_000_u64.pow(group);
            if higher > 0 {
                write!(formatter, "x{:03}/", higher % 1_000)?;
            }
        }
        write!(formatter, "{:03}", self.index % 1_000)?;
        if self.width < TILE_WIDTH { write!(formatter, ".p/{}", self.width) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVES: TileKind = TileKind::Hashes { level: 0 };

    #[test]
    fn names_equal_the_examples_of_the_specification() {
        // C2SP tlog-tiles, "Merkle Tree": index 1234067 is x001/x234/067.
        let tile = TilePath::in_tree(LEAVES, 1_234_067, u64::MAX).expect("in the tree");
        assert_eq!(tile.to_string(), "tile/0/x001/x234/067");
        let entries = TilePath::in_tree(TileKind::Entries, 5, 5 * 256 + 7).expect("in the tree");
        assert_eq!(entries.to_string(), "tile/entries/005.p/7");
    }

    #[test]
    fn a_tree_has_the_tiles_that_the_specification_says() {
        // C2SP tlog-tiles, "Partial Tiles": the tree of 70,000 leaves.
        let width = |level, index| TilePath::in_tree(TileKind::Hashes { level }, index, 70_000).map(TilePath::width);
        assert_eq!([width(0, 272), width(0, 273), width(0, 274)], [Some(256), Some(112), None]);
        assert_eq!([width(1, 0), width(1, 1), width(1, 2)], [Some(256), Some(17), None]);
        assert_eq!([width(2, 0), width(2, 1), width(3, 0)], [Some(1), None, None]);
        let width = |level| TilePath::in_tree(TileKind::Hashes { level }, 0, 256).map(TilePath::width);
        assert_eq!([width(0), width(1), width(63)], [Some(256), Some(1), None]);
        assert_eq!(TilePath::in_tree(LEAVES, u64::MAX, u64::MAX), None);
    }

    #[test]
    fn other_spellings_are_refused() {
        for path in [
            "",
            "tile/0",
            "tile/00/001",
            "tile/64/001",
            "tile/-1/001",
            "tile/0/1",
            "tile/0/0001",
            "tile/0/+01",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/x001",
            "tile/0/x001/x002",
            "tile/0/X001/002",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/07",
            "tile/0/001.p/",
            "tile/0/001/",
            "/tile/0/001",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
            "tile/data/001",
        ] {
            assert_eq!(TilePath::parse(path), Err(TilePathError { path: path.to_owned() }));
        }
    }

    proptest::proptest! {
        #[test]
        fn a_name_is_read_as_it_is_written(level in 0..8_u8, index: u64, size: u64) {
            for kind in [TileKind::Hashes { level }, TileKind::Entries] {
                for index in [index, index % 10_000, size >> 8] {
                    if let Some(path) = TilePath::in_tree(kind, index, size) {
                        proptest::prop_assert_eq!(TilePath::parse(&path.to_string()), Ok(path));
                    }
                }
            }
        }

        #[test]
        fn what_is_read_has_no_other_spelling(text in "tile/(0|1|entries)/(x00[01]/){0,2}[0-2]{3}(\\.p/[0-9]{1,3})?") {
            if let Ok(path) = TilePath::parse(&text) {
                proptest::prop_assert_eq!(path.to_string(), text);
            }
        }
    }
}
