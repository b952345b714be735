//! What the library refused, as people and programs are told it.

use node_migrate::checkpoint::{ChainError, SignerError, TileFolderError};
use node_migrate::reading::ReadingError;
use proofs::checkpoint::LeafError;

use crate::error::{AppError, Kind};

impl From<ChainError> for AppError {
    fn from(error: ChainError) -> Self {
        let message = error.to_string();
        match error {
            ChainError::Store(source) => Self { message, ..ReadingError::from(source).into() },
            ChainError::Interrupted(_) => Self::new(Kind::Interrupted, message).hint("give the command again"),
            ChainError::NoBlocks => Self::new(Kind::Home, message),
            ChainError::Pruned { .. } => Self::new(Kind::Usage, message).hint(
                "its first heights are pruned: sign from an archive's store, or begin another tree with a key of its own \
                 (`--new-key NAME --key FILE`), whose name says the later first height",
            ),
            ChainError::Outside { .. } => Self::new(Kind::Usage, message),
            ChainError::Origin(LeafError::Origin { .. }) => {
                Self::new(Kind::Usage, message).hint("`checkpoint create --new-key NAME --key FILE` makes a fitting key")
            }
            ChainError::OtherRoot { .. } => Self::new(Kind::Verification, message)
                .hint("the checkpoint is of another chain, or one of the two stores is not what the chain signed: `verify` tells"),
            _ => Self::new(Kind::Damaged, message).hint("`verify` shows all that is wrong with the store"),
        }
    }
}

impl From<SignerError> for AppError {
    fn from(error: SignerError) -> Self {
        let message = error.to_string();
        match error {
            SignerError::Chain(source) => source.into(),
            SignerError::Write(source) => source.into(),
            SignerError::Inconsistent(_) => Self::new(Kind::Verification, message)
                .hint("a log never signs two trees that contradict each other; `KEY.last` holds the last checkpoint"),
            SignerError::Busy { .. } => Self::new(Kind::State, message).hint("wait until it has ended"),
            SignerError::Key { .. } | SignerError::Sign(_) | SignerError::Head(_) => Self::new(Kind::Usage, message)
                .hint("a key is one line, PRIVATE+KEY+<name>+<id>+<base64>, as C2SP signed notes use it"),
            SignerError::Last { .. } => {
                Self::new(Kind::Damaged, message).hint("restore it from the backup of the key; never delete it")
            }
            _ => Self::new(Kind::System, message),
        }
    }
}

impl From<TileFolderError> for AppError {
    fn from(error: TileFolderError) -> Self {
        let message = error.to_string();
        match error {
            TileFolderError::Chain(source) => source.into(),
            TileFolderError::Write(source) => source.into(),
            TileFolderError::Tile(_) => Self::new(Kind::System, message),
            _ => Self::new(Kind::Damaged, message).hint("export into another folder"),
        }
    }
}

#[cfg(feature = "parquet")]
impl From<node_migrate::checkpoint::ParquetFolderError> for AppError {
    fn from(error: node_migrate::checkpoint::ParquetFolderError) -> Self {
        use node_migrate::checkpoint::ParquetFolderError as Refused;
        let message = error.to_string();
        match error {
            Refused::Chain(source) => source.into(),
            Refused::Write(source) => source.into(),
            Refused::NotEmpty { .. } => Self::new(Kind::Usage, message).hint("name a new folder"),
            Refused::Root { .. } => Self::new(Kind::Damaged, message),
            _ => Self::new(Kind::System, message),
        }
    }
}
