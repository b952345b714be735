//! Tables put together block by block, for what our own writer never makes.

use ledger_formats::engine::block_writer::BlockWriter;
use ledger_formats::engine::checksum::Checksum;
use ledger_formats::engine::footer::{Footer, Handle, TableFormat};
use ledger_formats::engine::internal_key::{self, Kind};

/// A block before it is stored: its bytes, and how they are.
pub enum Body {
    Raw(Vec<u8>),
    Zstd(Vec<u8>),
}

/// A table in the making.
pub struct Assembly {
    pub bytes: Vec<u8>,
    checksum: Checksum,
    index: BlockWriter,
    meta: Vec<(&'static str, Handle)>,
}

impl Assembly {
    pub fn new(checksum: Checksum) -> Self {
        Self { bytes: Vec::new(), checksum, index: BlockWriter::new(1), meta: Vec::new() }
    }

    /// A data block, indexed by `last`.
    pub fn data(&mut self, last: &[u8], body: Body) -> Handle {
        let handle = self.block(body);
        self.index.add(last, &encoded(handle));
        handle
    }

    /// A block that the metaindex names.
    pub fn meta(&mut self, name: &'static str, body: Body) {
        let handle = self.block(body);
        self.meta.push((name, handle));
    }

    /// The table with a footer of this format.
    pub fn finish(mut self, format: TableFormat) -> Vec<u8> {
        let index = self.index.finish().to_vec();
        let index = self.block(Body::Raw(index));
        self.finish_with(index, format)
    }

    /// The same with an index that the caller has put in.
    pub fn finish_with(mut self, index: Handle, format: TableFormat) -> Vec<u8> {
        self.meta.sort_unstable_by_key(|(name, _)| *name);
        let mut metaindex = BlockWriter::new(1);
        for (name, handle) in &self.meta {
            metaindex.add(name.as_bytes(), &encoded(*handle));
        }
        let metaindex = self.block(Body::Raw(metaindex.finish().to_vec()));
        let footer_start = self.bytes.len();
        Footer::put(format, metaindex, index, &mut self.bytes);
        if self.checksum == Checksum::XxHash64 {
            self.bytes[footer_start] = 3;
        }
        self.bytes
    }

    pub fn block(&mut self, body: Body) -> Handle {
        let (body, method) = match body {
            Body::Raw(body) => (body, 0),
            Body::Zstd(body) => (zstd(&body), 7),
        };
        let offset = self.bytes.len();
        let handle = Handle { offset: offset as u64, length: body.len() as u64 };
        self.bytes.extend_from_slice(&body);
        self.bytes.push(method);
        let sum = self.checksum.of(&self.bytes[offset..]);
        self.bytes.extend_from_slice(&sum.to_le_bytes());
        handle
    }
}

pub fn encoded(handle: Handle) -> Vec<u8> {
    let mut bytes = Vec::new();
    handle.put(&mut bytes);
    bytes
}

pub fn internal(user: &[u8], sequence: u64, kind: Kind) -> Vec<u8> {
    let mut key = Vec::new();
    internal_key::join(&mut key, user, sequence, kind);
    key
}

/// A block of these entries.
pub fn block(entries: &[(Vec<u8>, &[u8])]) -> Vec<u8> {
    let mut block = BlockWriter::new(16);
    for (key, value) in entries {
        block.add(key, value);
    }
    block.finish().to_vec()
}

fn zstd(body: &[u8]) -> Vec<u8> {
    let mut stored = Vec::new();
    ledger_formats::engine::varint::put(&mut stored, body.len() as u64);
    stored.extend(ruzstd::encoding::compress_to_vec(body, ruzstd::encoding::CompressionLevel::Fastest));
    stored
}
