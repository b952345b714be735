//! The protobuf wire format, read with borrowed bytes and written field by field.
//!
//! ```text
//! message = field*          tag    = varint: number << 3 | wire type
//! field   = tag value       varint = 7 bits a byte, least significant first, high bit = more follows
//! value   = varint (type 0) | 8 bytes LE (1) | varint length, bytes (2) | 4 bytes LE (5)
//! ```
//! Strings are bytes: upstream's generated code does not check UTF-8 either, and v0.34 declares some of
//! them as bytes. Unknown fields are skipped. Stricter than upstream on purpose: a field that is not
//! repeated must not occur twice (upstream merges), and groups are refused; no node writes either.

mod field;
mod reader;
mod writer;

pub use field::{Field, Value};
pub use reader::{Decode, Reader};
pub use writer::{put_bytes, put_fixed64, put_int, put_message, put_uint, put_varint, varint_len};
