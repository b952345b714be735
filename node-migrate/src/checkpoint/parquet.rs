//! A tree's leaves as Parquet files, which any query engine reads.
//!
//! ```text
//! DIR/segment=<n>/leaves.parquet     2^16 leaves each, but for the last
//! DIR/_checkpoint                    the signed head; engines pass by names that begin with "_"
//! ```
//! | column | type | what |
//! |---|---|---|
//! | `height` | INT64 | the height |
//! | `block_hash` | FIXED_LEN_BYTE_ARRAY(32) | hash of the header |
//! | `part_count` | INT64 | number of parts |
//! | `part_set_hash` | FIXED_LEN_BYTE_ARRAY(32) | root over the parts |
//!
//! Nothing is compressed: hashes do not shrink.
//!
//! # Correctness
//! Each file is whole or not there, and the checkpoint comes last. What was written is hashed on the way, and
//! must have the root of the checkpoint.

use std::path::Path;
use std::sync::Arc;

use ledger_formats::durable;
use parquet::data_type::{ByteArray, FixedLenByteArray, FixedLenByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;
use proofs::checkpoint::{Checkpoint, Leaf};
use proofs::merkle::{Frontier, SEGMENT_LEAVES, leaf_hash};
use proofs::note::Note;

use super::error::{ChainError, ParquetFolderError};
use super::tree::ChainTree;
use crate::context::Context;

const SCHEMA: &str = "message leaves {
    required int64 height;
    required fixed_len_byte_array(32) block_hash;
    required int64 part_count;
    required fixed_len_byte_array(32) part_set_hash;
}";

/// The columns of one segment.
#[derive(Default)]
struct Columns {
    heights: Vec<i64>,
    block_hashes: Vec<FixedLenByteArray>,
    part_counts: Vec<i64>,
    part_set_hashes: Vec<FixedLenByteArray>,
}

/// Exports the leaves of the tree that `note` is a head of into `folder`, which must be empty or not there.
///
/// # Errors
/// [`ParquetFolderError`]; no checkpoint is in the folder then.
pub fn export(
    tree: &ChainTree<'_>,
    note: &Note,
    checkpoint: &Checkpoint,
    folder: &Path,
    context: &Context<'_>,
) -> Result<(), ParquetFolderError> {
    tree.expect_head(checkpoint)?;
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(ParquetFolderError::NotEmpty { folder: folder.to_owned() });
    }
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut frontier = Frontier::new();
    context.listener.begin("parquet", 0);
    for segment in 0..checkpoint.size().div_ceil(SEGMENT_LEAVES) {
        context.go_on().map_err(ChainError::from)?;
        let end = checkpoint.size().min((segment + 1) * SEGMENT_LEAVES);
        let columns = Columns::read(tree, segment * SEGMENT_LEAVES..end, &mut frontier)?;
        let file = columns.to_file(&schema)?;
        let place = folder.join(format!("segment={segment}"));
        durable::create_dir_all(&place)?;
        durable::write_file(&place.join("leaves.parquet"), &file)?;
        context.listener.advance(file.len() as u64, columns.heights.len() as u64);
    }
    context.listener.end();
    if frontier.root() != *checkpoint.root() {
        let (written, claimed) = (frontier.root(), *checkpoint.root());
        return Err(ParquetFolderError::Root { folder: folder.to_owned(), written, claimed });
    }
    durable::create_dir_all(folder)?;
    durable::write_file(&folder.join("_checkpoint"), note.to_string().as_bytes())?;
    Ok(())
}

impl Columns {
    fn read(
        tree: &ChainTree<'_>,
        leaves: std::ops::Range<u64>,
        frontier: &mut Frontier,
    ) -> Result<Self, ParquetFolderError> {
        let mut columns = Self::default();
        for bytes in tree.leaves(leaves.start, leaves.end)? {
            let bytes = bytes?;
            frontier.push(leaf_hash(&bytes));
            let Leaf { height, block } = Leaf::from_bytes(&bytes).map_err(ChainError::from)?;
            columns.heights.push(height.cast_signed());
            columns.block_hashes.push(ByteArray::from(block.hash.to_vec()).into());
            columns.part_counts.push(block.part_count.into());
            columns.part_set_hashes.push(ByteArray::from(block.part_set_hash.to_vec()).into());
        }
        Ok(columns)
    }

    fn to_file(&self, schema: &Arc<Type>) -> Result<Vec<u8>, ParquetError> {
        let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
        let mut writer = SerializedFileWriter::new(Vec::new(), Arc::clone(schema), Arc::new(properties))?;
        let mut rows = writer.next_row_group()?;
        put_numbers(&mut rows, &self.heights)?;
        put_hashes(&mut rows, &self.block_hashes)?;
        put_numbers(&mut rows, &self.part_counts)?;
        put_hashes(&mut rows, &self.part_set_hashes)?;
        rows.close()?;
        writer.into_inner()
    }
}

fn put_numbers(rows: &mut SerializedRowGroupWriter<'_, Vec<u8>>, values: &[i64]) -> Result<(), ParquetError> {
    let Some(mut column) = rows.next_column()? else { return Err(too_few()) };
    column.typed::<Int64Type>().write_batch(values, None, None)?;
    column.close()
}

fn put_hashes(
    rows: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[FixedLenByteArray],
) -> Result<(), ParquetError> {
    let Some(mut column) = rows.next_column()? else { return Err(too_few()) };
    column.typed::<FixedLenByteArrayType>().write_batch(values, None, None)?;
    column.close()
}

fn too_few() -> ParquetError {
    ParquetError::General("the schema has too few columns".to_owned())
}
