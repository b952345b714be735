//! A lane: one walk over the source whose rows come in the target's key order.
//!
//! Layout v1 sorts heights as text, layout v2 as numbers; for heights of one number of digits both orders are the
//! same. So the rows of each kind are walked as one lane for each number of digits, and lanes are merged by their next
//! target key. From layout v2 every lane is a stretch of its own and each row is read once; from layout v1 the lanes of
//! fewer digits jump over the rows of more digits, which are nine tenths, and those of the most digits pass by the rest.

use super::View;
use super::group::Group;
use super::judge::{Judgement, Walk, judge};
use super::rules::is_dropped;
use crate::comet::class::Kind;
use crate::comet::key::BlockKey;
use crate::comet::layout::RecordKey;
use crate::store::{Cursor, KeyRange, StoreError};

/// Bytes of rows passed by one after another before a lane jumps: a jump costs about as much as reading these.
const PASSED_BYTES_MAX: usize = 32 << 10;
/// What a row costs beside its bytes.
const ROW_BYTES: usize = 256;

/// One walk.
pub(super) struct Lane<'a> {
    view: &'a View<'a>,
    walk: Walk,
    /// Stretches of source keys that are left, the next one last.
    stretches: Vec<KeyRange>,
    cursor: Option<Box<dyn Cursor + Send + 'a>>,
    /// The target keys that are wanted.
    wanted: KeyRange,
    group: Group,
    /// The first part of the block behind the group's.
    next_part: Option<(u64, u32, Vec<u8>)>,
    /// The present row: source key, target key, value.
    source_key: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
    spare: Vec<u8>,
}

impl<'a> Lane<'a> {
    /// A walk over stretches of source keys, ascending.
    pub(super) fn new(view: &'a View<'a>, walk: Walk, mut stretches: Vec<KeyRange>, wanted: KeyRange) -> Self {
        stretches.reverse();
        Self {
            view,
            walk,
            stretches,
            cursor: None,
            wanted,
            group: Group::default(),
            next_part: None,
            source_key: Vec::new(),
            key: Vec::new(),
            value: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Moves to the next row of the target; false at the end. After an error that a cursor goes on behind, so does it.
    pub(super) fn advance(&mut self) -> Result<bool, StoreError> {
        loop {
            let is_there = if self.is_grouped() { self.next_of_group()? } else { self.next_row()? };
            if !is_there || self.wanted.end.as_ref().is_some_and(|end| self.key >= *end) {
                return Ok(false);
            }
            if self.key >= self.wanted.start {
                return Ok(true);
            }
        }
    }

    fn is_grouped(&self) -> bool {
        matches!(self.walk, Walk::Family { family, .. } if family.kind == Kind::BlockPart)
    }

    /// A row with a key of its own.
    fn next_row(&mut self) -> Result<bool, StoreError> {
        let Some((kind, record)) = self.pull()? else { return Ok(false) };
        self.key.clear();
        match record {
            Some(record) => record.encode(self.view.conversion.to, &mut self.key),
            None => self.key.extend_from_slice(&self.source_key),
        }
        self.view.convert_value(kind, &self.source_key, &mut self.value, &mut self.spare)?;
        Ok(true)
    }

    /// The next part of a block.
    fn next_of_group(&mut self) -> Result<bool, StoreError> {
        if !self.group.is_ready() {
            self.fill()?;
        }
        let Some((height, part, value)) = self.group.take() else { return Ok(false) };
        let record = BlockKey::Part { height, part };
        self.key.clear();
        record.encode(self.view.conversion.to, &mut self.key);
        self.value.clear();
        if let Some(value) = value {
            self.value.extend_from_slice(value);
            return Ok(true);
        }
        self.source_key.clear();
        record.encode(self.view.conversion.from, &mut self.source_key);
        let again = self.view.source.get(&self.source_key)?;
        self.value = again.ok_or_else(|| self.view.refused(&self.source_key, "was there and is gone".to_owned()))?;
        Ok(true)
    }

    /// Collects the parts of one block. Goes on where an error interrupted it.
    fn fill(&mut self) -> Result<(), StoreError> {
        if self.group.is_spent() {
            self.group.clear();
        }
        if let Some((height, part, value)) = self.next_part.take() {
            self.group.add(height, part, &value);
        }
        while let Some((_, record)) = self.pull()? {
            let Some((height, part)) = record.and_then(|record| Some((record.height()?, record.part()?))) else {
                continue;
            };
            if !self.group.admits(height) {
                self.next_part = Some((height, part, std::mem::take(&mut self.value)));
                break;
            }
            self.group.add(height, part, &self.value);
        }
        self.group.sort(self.view.conversion.to);
        Ok(())
    }

    /// Reads the next row of this lane that is not dropped: its kind and, if it is spelled anew, its key. The source's
    /// key and the value are then in their buffers.
    fn pull(&mut self) -> Result<Option<(Kind, Option<RecordKey>)>, StoreError> {
        let mut passed = 0;
        loop {
            if self.cursor.is_none() {
                let Some(stretch) = self.stretches.last() else { return Ok(None) };
                self.cursor = Some(self.view.source.scan(stretch)?);
            }
            let Some(cursor) = &mut self.cursor else { return Ok(None) };
            let Some((key, value)) = cursor.next()? else {
                self.cursor = None;
                self.stretches.pop();
                continue;
            };
            let bytes = ROW_BYTES + key.len() + value.len();
            match judge(self.view, self.walk, key) {
                Judgement::Take(kind, _) if is_dropped(kind, self.view.conversion) => {}
                Judgement::Take(kind, record) => {
                    self.source_key.clear();
                    self.source_key.extend_from_slice(key);
                    self.value.clear();
                    self.value.extend_from_slice(value);
                    return Ok(Some((kind, record)));
                }
                Judgement::Pass => {}
                Judgement::PassTo(start) => {
                    passed += bytes;
                    if passed >= PASSED_BYTES_MAX
                        && let Some(stretch) = self.stretches.last_mut()
                    {
                        stretch.start = start;
                        passed = 0;
                        self.cursor = None;
                    }
                }
                Judgement::Refuse(reason) => return Err(self.view.refused(key, reason.to_owned())),
            }
        }
    }
}
