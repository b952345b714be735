//! The copy of one shard: scan, count, write.

use ledger_formats::store::{Corruption, Cursor, FinishedShard, KeyRange, ShardWriter, StoreError};

use super::{CopyError, Job, OnCorrupt, heights};
use crate::context::Context;
use crate::event::{Event, Quarantined};
use crate::shard_summary::{ShardSummariser, ShardSummary};

/// Rows between two looks at the wish to stop and two reports of progress.
const ROWS_BETWEEN_REPORTS: u64 = 4096;

/// A copied shard.
pub(super) struct Copied {
    source: ShardSummary,
    written: FinishedShard,
    quarantined: Vec<Quarantined>,
}

impl Copied {
    /// The journal's word for it.
    pub(super) fn into_event(self, job: &Job) -> Event {
        Event::ShardCopied {
            database: job.database.name.clone(),
            epoch: job.epoch,
            source: self.source,
            written: self.written,
            quarantined: self.quarantined,
        }
    }
}

/// Copies one shard from front to back.
pub(super) fn copy(
    job: &Job,
    number: u32,
    range: &KeyRange,
    context: &Context<'_>,
    on_corrupt: OnCorrupt<'_>,
) -> Result<Copied, CopyError> {
    let failed = CopyError::store(&job.database.name);
    let mut writer = job.writer.shard(number).map_err(&failed)?;
    let mut quarantined = Vec::new();
    let mut summariser = ShardSummariser::default();
    let mut cursor = job.store.scan(range).map_err(&failed)?;
    loop {
        match copy_run(cursor.as_mut(), writer.as_mut(), &mut summariser, context) {
            Ok(true) => {}
            Ok(false) => break,
            Err(StoreError::Corrupt(damage))
                if matches!(on_corrupt, OnCorrupt::Quarantine) && damage.range.is_some() =>
            {
                quarantined.push(quarantine(&damage));
            }
            Err(error) => return Err(name_place(job, error)),
        }
    }
    let written = writer.finish().map_err(&failed)?;
    Ok(Copied { source: summariser.finish(), written, quarantined })
}

/// Copies some rows; false at the end of the range.
fn copy_run(
    cursor: &mut (dyn Cursor + Send),
    writer: &mut (dyn ShardWriter + Send),
    summariser: &mut ShardSummariser,
    context: &Context<'_>,
) -> Result<bool, StoreError> {
    let mut bytes = 0;
    for rows in 0..ROWS_BETWEEN_REPORTS {
        let Some((key, value)) = cursor.next()? else {
            context.listener.advance(bytes, rows);
            return Ok(false);
        };
        summariser.add(key, value);
        writer.put(key, value)?;
        bytes += (key.len() + value.len()) as u64;
    }
    context.listener.advance(bytes, ROWS_BETWEEN_REPORTS);
    Ok(true)
}

/// Names a damaged place as the operator knows it: the node's own file, not the link to it, and the
/// heights that it hits.
fn name_place(job: &Job, mut error: StoreError) -> CopyError {
    if let StoreError::Corrupt(damage) = &mut error
        && let Some(file) = damage.file.file_name()
    {
        damage.file = job.database.path.join(file);
    }
    let hit = match &error {
        StoreError::Corrupt(damage) => {
            damage.range.as_ref().and_then(|(first, last)| heights::hit(job.role, job.store.as_ref(), first, last))
        }
        _ => None,
    };
    match (error, hit) {
        (StoreError::Corrupt(damage), Some(heights)) => {
            CopyError::Damaged { database: job.database.name.clone(), damage, heights }
        }
        (error, _) => CopyError::Store { database: job.database.name.clone(), source: error },
    }
}

fn quarantine(damage: &Corruption) -> Quarantined {
    let (first, last) = damage.range.clone().unwrap_or_default();
    Quarantined {
        file: damage.file.clone(),
        offset: damage.offset,
        reason: damage.reason.clone(),
        first_key: hex::encode(first),
        last_key: hex::encode(last),
    }
}
