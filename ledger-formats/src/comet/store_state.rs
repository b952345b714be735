//! The key `blockStore`: which heights the block store holds.

use super::error::DecodeError;
use super::wire::{Decode, Reader};

/// `BlockStoreState`: first and last height; both 0 in a store without blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockStoreState {
    /// First height. 1 for a store written before there were bases.
    pub base: u64,
    /// Last height.
    pub height: u64,
}

impl<'a> Decode<'a> for BlockStoreState {
    const NAME: &'static str = "BlockStoreState";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut state = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => state.base = field.natural("base")?,
                2 => state.height = field.natural("height")?,
                _ => {}
            }
        }
        if state.base == 0 && state.height > 0 {
            state.base = 1;
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_without_base_begins_at_height_1() {
        let with_base = BlockStoreState::decode(&[0x08, 0x01, 0x10, 0xf0, 0x01]).expect("decodes");
        assert_eq!(with_base, BlockStoreState { base: 1, height: 240 });
        assert_eq!(BlockStoreState::decode(&[0x10, 0xf0, 0x01]).expect("decodes"), with_base);
        assert_eq!(BlockStoreState::decode(&[]).expect("decodes"), BlockStoreState::default());
    }
}
