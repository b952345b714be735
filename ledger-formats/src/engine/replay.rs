//! Replay of the logs that a MANIFEST still needs, by the rules of the engine that wrote them.
//!
//! Logs are replayed in ascending order of their numbers. The last bytes of a log may be torn (a
//! write that a crash cut, preallocated zeroes, the rest of a recycled file): its records end there.
//! Nothing may be mixed: a log that is damaged before its end, or torn although a later log holds
//! records, is an error, where goleveldb goes on silently and Pebble depends on `strict_wal_tail`.
//! goleveldb drops a batch that begins below the expected sequence, so it is dropped here too, and
//! told; keys above the MANIFEST's last sequence count (live.md section 4, engines.md section 7).

use std::fs::File;
use std::path::{Path, PathBuf};

use super::EngineKind;
use super::batch::{Batch, BatchError, Operation};
use super::internal_key::Kind;
use super::log::{LogEnd, LogForm, LogReader, Record};
use super::log_table::{LogTable, LogTableBuilder, trailer};
use super::manifest::Version;
use super::names::{FileName, log_name};
use super::table::RangeTombstone;
use crate::store::StoreError;

/// Something about the logs that an operator should know, though it is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogNotice {
    /// A log or manifest ends in bytes that are no record: what a crash leaves. Nothing before is affected.
    TornTail {
        /// The file.
        file: PathBuf,
        /// Where its records end.
        offset: u64,
        /// What is there.
        reason: &'static str,
        /// Pebble: records of this log that lie behind and that its engine does not read either.
        valid_after: Option<u64>,
    },
    /// goleveldb does not apply a batch that begins below the sequence it expects; neither was it here.
    DroppedBatch {
        /// The log.
        file: PathBuf,
        /// Offset of the batch.
        offset: u64,
        /// Where the batch begins.
        first_sequence: u64,
        /// What was expected.
        expected: u64,
    },
}

impl std::fmt::Display for LogNotice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match self {
            Self::TornTail { file, offset, reason, valid_after } => {
                write!(
                    f,
                    "the records of {} end at byte {offset}, {reason} follows, as a crash leaves it: ",
                    name(file)
                )?;
                f.write_str("no row before is affected, and the engine goes no further either")?;
                match valid_after {
                    Some(at) => write!(f, "; there is a record at byte {at} that it does not read"),
                    None => Ok(()),
                }
            }
            Self::DroppedBatch { file, offset, first_sequence, expected } => write!(
                f,
                "the batch at byte {offset} of {} begins at sequence {first_sequence}, below the {expected} that is due: \
                 goleveldb does not apply it, and neither is it read here",
                name(file)
            ),
        }
    }
}

/// What the logs gave.
#[derive(Debug)]
pub(super) struct Replayed {
    pub(super) table: LogTable,
    /// Their numbers, ascending.
    pub(super) logs: Vec<u64>,
    /// Bytes of the logs on disk.
    pub(super) bytes: u64,
    pub(super) notices: Vec<LogNotice>,
}

/// Numbers of the logs that `version` needs, ascending.
///
/// # Errors
/// [`StoreError::Unsupported`] for logs of Pebble's failover, whose order is not known here.
pub(super) fn live_logs(dir: &Path, names: &[String], version: &Version) -> Result<Vec<u64>, StoreError> {
    let failover = |name: &&String| {
        let stem = name.strip_suffix(".log").and_then(|stem| stem.split_once('-'));
        stem.is_some_and(|(number, index)| [number, index].iter().all(|part| part.parse::<u64>().is_ok()))
    };
    if let Some(name) = names.iter().find(failover) {
        return Err(StoreError::Unsupported { file: dir.join(name), feature: "a log of Pebble's failover".into() });
    }
    let mut logs: Vec<u64> = names
        .iter()
        .filter_map(|name| match FileName::parse(name) {
            FileName::Log(number) if version.needs_log(number) => Some(number),
            _ => None,
        })
        .collect();
    logs.sort_unstable();
    logs.dedup();
    Ok(logs)
}

/// How the chunks of log `number` of this engine look.
pub(super) fn log_form(engine: EngineKind, number: u64) -> LogForm {
    // Chunks carry the low half of the number.
    let [a, b, c, d, ..] = number.to_le_bytes();
    let low = u32::from_le_bytes([a, b, c, d]);
    match engine {
        EngineKind::Pebble => LogForm::Pebble(low),
        EngineKind::RocksDb => LogForm::RocksDb(low),
        _ => LogForm::Legacy,
    }
}

/// Replays the live logs of a LevelDB or Pebble folder; together they may hold `bytes_max`.
///
/// # Errors
/// See the module.
pub(super) fn replay(
    dir: &Path,
    names: &[String],
    engine: EngineKind,
    version: &Version,
    bytes_max: u64,
) -> Result<Replayed, StoreError> {
    let mut replay = Replay {
        engine,
        // C++ LevelDB, which alone writes a previous log, lets its last sequence run ahead.
        expected: version.last_sequence.filter(|_| engine == EngineKind::LevelDb && version.previous_log.is_none()),
        torn: None,
        table: LogTableBuilder::new(bytes_max),
        notices: Vec::new(),
    };
    let logs = live_logs(dir, names, version)?;
    let mut bytes = 0;
    for number in &logs {
        bytes += replay.log(&dir.join(log_name(*number)), *number)?;
    }
    Ok(Replayed { table: replay.table.finish(), logs, bytes, notices: replay.notices })
}

struct Replay {
    engine: EngineKind,
    /// goleveldb: the smallest sequence that the next batch may begin with.
    expected: Option<u64>,
    /// A log that was torn, after which no record may follow.
    torn: Option<(PathBuf, u64, &'static str)>,
    table: LogTableBuilder,
    notices: Vec<LogNotice>,
}

impl Replay {
    /// Replays one log; returns its length.
    fn log(&mut self, path: &Path, number: u64) -> Result<u64, StoreError> {
        let failed = |error| StoreError::io(path, error);
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut reader = LogReader::new(file, log_form(self.engine, number));
        while let Some(record) = reader.read().map_err(failed)? {
            self.record(path, record)?;
        }
        if let Some(LogEnd::Torn { offset, reason, valid_after }) = reader.end() {
            self.tear(path, *offset, reason, *valid_after)?;
        }
        Ok(length)
    }

    fn tear(&mut self, file: &Path, offset: u64, reason: &'static str, after: Option<u64>) -> Result<(), StoreError> {
        // A recycled log that is being written may be copied with a hole before newer records; Pebble
        // itself stops at the hole, and everything up to there is a state that existed.
        if let Some(after) = after.filter(|_| self.engine != EngineKind::Pebble) {
            let reason = format!("{reason}, and records follow at offset {after}, so that it is not merely a torn end");
            return Err(StoreError::corrupt(file, Some(offset), reason));
        }
        self.notices.push(LogNotice::TornTail { file: file.to_path_buf(), offset, reason, valid_after: after });
        self.torn = Some((file.to_path_buf(), offset, reason));
        Ok(())
    }

    fn record(&mut self, path: &Path, record: Record<'_>) -> Result<(), StoreError> {
        if let Some((torn, offset, reason)) = &self.torn {
            let later = path.file_name().unwrap_or_default().display();
            let reason = format!("{reason}: the log is torn, and the later log {later} holds records");
            return Err(StoreError::corrupt(torn, Some(*offset), reason));
        }
        let bad = |error: BatchError| match error {
            BatchError::Kind { .. } => {
                StoreError::Unsupported { file: path.to_path_buf(), feature: format!("{error} in a log") }
            }
            _ => StoreError::corrupt(path, Some(record.offset), error.to_string()),
        };
        let batch = Batch::parse(record.bytes).map_err(bad)?;
        if let Some(expected) = self.expected {
            let first_sequence = batch.first_sequence;
            if first_sequence < expected {
                let (file, offset) = (path.to_path_buf(), record.offset);
                self.notices.push(LogNotice::DroppedBatch { file, offset, first_sequence, expected });
                return Ok(());
            }
            self.expected = Some(batch.next_sequence());
        }
        for operation in batch.operations() {
            self.operation(path, &operation.map_err(bad)?)?;
        }
        Ok(())
    }

    fn operation(&mut self, path: &Path, operation: &Operation<'_>) -> Result<(), StoreError> {
        let Operation { sequence, kind, key, value } = *operation;
        match kind {
            Kind::Set | Kind::Delete => {}
            Kind::SetWithDelete | Kind::SingleDelete | Kind::DeleteSized if self.engine == EngineKind::Pebble => {}
            Kind::RangeDelete if self.engine == EngineKind::Pebble => {
                self.table.add_tombstone(RangeTombstone { start: key.to_vec(), end: value.to_vec(), sequence });
                return Ok(());
            }
            _ => {
                let feature = format!("{} in a log", kind.name());
                return Err(StoreError::Unsupported { file: path.to_path_buf(), feature });
            }
        }
        self.table.add(path, key, trailer(sequence, kind), value)
    }
}
