//! Any bytes as a log of each form, and each of its records, and the bytes themselves, as a batch.
#![no_main]

use ledger_formats::engine::batch::Batch;
use ledger_formats::engine::log::{LogForm, LogReader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    operations(bytes);
    for form in [LogForm::Legacy, LogForm::RocksDb(7), LogForm::Pebble(7)] {
        let mut log = LogReader::new(bytes, form);
        let mut length = 0;
        while let Some(record) = log.read().expect("memory can be read") {
            length += record.bytes.len();
            operations(record.bytes);
        }
        assert!(length <= bytes.len() && log.whole() <= bytes.len() as u64);
        assert!(log.end().is_some());
    }
});

fn operations(record: &[u8]) {
    let Ok(batch) = Batch::parse(record) else { return };
    for operation in batch.operations() {
        let Ok(operation) = operation else { return };
        assert!(operation.sequence < batch.next_sequence());
    }
}
