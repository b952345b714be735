//! Signed notes: text signed by one or more keys (C2SP `signed-note`).
//!
//! ```text
//! text, any number of lines, each ending in "\n"
//! "\n"                                                     the last blank line ends the text
//! "— " key name " " base64(key id u32be ‖ signature) "\n"  one or more
//!
//! key id  = SHA-256(key name ‖ "\n" ‖ algorithm ‖ public key)[..4]
//! vkey    = key name "+" 8 hex digits of the key id "+" base64(algorithm ‖ public key)
//! skey    = "PRIVATE+KEY+" key name "+" 8 hex digits "+" base64(algorithm ‖ seed)
//! ```
//! Algorithms: 0x01 Ed25519 over the text; 0x04 Ed25519 cosignature over a checkpoint and a time
//! (C2SP `tlog-cosignature`). The text of a note means nothing before a known key is seen to have signed it.

mod key;
mod open;
mod signed;

pub use key::{Algorithm, NoteKeyError, SignerKey, VerifierKey};
pub use open::{OpenError, Opened, Signer};
pub use signed::{Note, NoteError, NoteSignature, SignatureLineError};

pub(crate) use key::is_key_name;
