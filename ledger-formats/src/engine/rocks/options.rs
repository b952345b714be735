//! What the library is told: for tables that older releases read, and for leaving folders alone.
//!
//! Nothing may be left to the library's defaults that changes bytes on disk; they change between
//! its releases (table format 7 since 11.x, LZ4 since 11.5, checksum XXH3 since 6.29).

use std::sync::{Arc, Mutex, PoisonError};

use rocksdb::{InfoLogger, LogLevel, Options};

/// Settings of every table written, in the library's own syntax.
///
/// Table format 5 with CRC32c is read by 7.8 and everything later. Blocks of 4 KiB and a Bloom
/// filter of 10 bits are what nodes write themselves (cometbft-db), so that reads cost them what
/// they cost before. No host name goes into the tables (`db_host_id`).
const TABLES: &str = "db_host_id=;\
    compression=kSnappyCompression;\
    bottommost_compression=kDisableCompressionOption;\
    block_based_table_factory={\
        format_version=5;\
        checksum=kCRC32c;\
        block_size=4096;\
        block_size_deviation=10;\
        block_align=false;\
        block_restart_interval=16;\
        index_block_restart_interval=1;\
        index_type=kBinarySearch;\
        data_block_index_type=kDataBlockBinarySearch;\
        enable_index_compression=true;\
        separate_key_value_in_data_block=false;\
        use_delta_encoding=true;\
        filter_policy=bloomfilter:10:false;\
        whole_key_filtering=true;\
        partition_filters=false;\
        optimize_filters_for_memory=false;\
        verify_compression=true\
    };";

/// Options for writing tables and for the database that takes them in.
///
/// # Errors
/// When the library does not know a setting.
pub(super) fn for_tables() -> Result<Options, rocksdb::Error> {
    let mut options = Options::default().get_options_from_string(TABLES)?;
    quiet(&mut options);
    options.create_if_missing(true);
    options.set_error_if_exists(true);
    options.set_disable_auto_compactions(true);
    options.set_use_fsync(true);
    Ok(options)
}

/// Options of a node's own database: the same tables, written and compacted by the library.
///
/// # Errors
/// When the library does not know a setting.
pub(super) fn for_nodes() -> Result<Options, rocksdb::Error> {
    let mut options = Options::default().get_options_from_string(TABLES)?;
    quiet(&mut options);
    options.create_if_missing(true);
    options.set_use_fsync(true);
    Ok(options)
}

/// No log file (it would name host and paths), no statistics, no threads beyond one of each kind.
pub(super) fn quiet(options: &mut Options) -> Complaints {
    let complaints = Complaints::default();
    let last = Arc::clone(&complaints.last);
    let listener = move |_, line: &str| *last.lock().unwrap_or_else(PoisonError::into_inner) = line.to_owned();
    options.set_info_logger(InfoLogger::new_callback_logger(LogLevel::Warn, listener));
    options.set_log_level(LogLevel::Warn);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.set_max_background_jobs(1);
    options.set_max_file_opening_threads(1);
    complaints
}

/// The last warning in the library's log. Errors about damaged logs name the file only there.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    last: Arc<Mutex<String>>,
}

impl Complaints {
    /// The last warning, empty when there was none.
    pub(super) fn last(&self) -> String {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_library_knows_every_setting() {
        assert_eq!(super::for_tables().err(), None);
    }
}
