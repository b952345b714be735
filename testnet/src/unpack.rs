//! Unpacks a packed home (`.tar.zst`) without the system's tools.
//!
//! The tarball holds one folder; its name becomes the home's name. The unpacker never writes outside the given folder (the `tar` crate
//! refuses such names) and never writes over a home that is already there.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use ruzstd::decoding::StreamingDecoder;

/// The largest window a packed home may ask for: what `zstd --long=27` makes.
const WINDOW_BYTES_MAX: u64 = 128 << 20;

/// Why a home could not be unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// The name does not say which home it is.
    #[error("{} is not named <home>.tar.zst", .file.display())]
    Name {
        /// The packed home.
        file: PathBuf,
    },
    /// A home of this name is there already.
    #[error("{} is there already", .home.display())]
    Exists {
        /// The home that is in the way.
        home: PathBuf,
    },
    /// The packed home is not a Zstandard stream that this program reads.
    #[error("cannot decompress {}: {source}", .file.display())]
    Decompress {
        /// The packed home.
        file: PathBuf,
        /// What the decoder says.
        source: Box<ruzstd::decoding::errors::FrameDecoderError>,
    },
    /// The file system or the tarball failed.
    #[error("cannot unpack {}: {source}", .file.display())]
    Io {
        /// The packed home.
        file: PathBuf,
        /// What failed.
        source: std::io::Error,
    },
    /// The tarball does not hold the folder that its name promises.
    #[error("{} holds no folder {}", .file.display(), .home.display())]
    NoHome {
        /// The packed home.
        file: PathBuf,
        /// The folder that is missing after unpacking.
        home: PathBuf,
    },
}

/// Unpacks `file` (`<home>.tar.zst`) into `folder`, which is made when missing, and returns the home's path, `folder/<home>`.
///
/// # Errors
/// When the name has another form, the home exists, or reading or writing fails.
pub fn unpack_home(file: &Path, folder: &Path) -> Result<PathBuf, UnpackError> {
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(|name| name.strip_suffix(".tar.zst"))
        .ok_or_else(|| UnpackError::Name { file: file.into() })?;
    let home = folder.join(name);
    if home.symlink_metadata().is_ok() {
        return Err(UnpackError::Exists { home });
    }
    let io = |source| UnpackError::Io { file: file.into(), source };
    std::fs::create_dir_all(folder).map_err(io)?;
    let packed = BufReader::new(File::open(file).map_err(io)?);
    let stream = StreamingDecoder::new_with_max_window_size(packed, WINDOW_BYTES_MAX)
        .map_err(|source| UnpackError::Decompress { file: file.into(), source: Box::new(source) })?;
    tar::Archive::new(stream).unpack(folder).map_err(io)?;
    if !home.is_dir() {
        return Err(UnpackError::NoHome { file: file.into(), home });
    }
    Ok(home)
}

#[cfg(test)]
mod tests {
    use super::{UnpackError, unpack_home};
    use std::path::Path;

    fn fixture() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/cometbft-0.38-goleveldb-onelog.tar.zst")
    }

    #[test]
    fn a_shipped_home_unpacks_with_its_databases() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = unpack_home(&fixture(), folder.path()).expect("unpacks");
        assert_eq!(home, folder.path().join("cometbft-0.38-goleveldb-onelog"));
        assert!(home.join("config/config.toml").is_file());
        assert!(home.join("data/blockstore.db/CURRENT").is_file());
    }

    #[test]
    fn a_home_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path().join("cometbft-0.38-goleveldb-onelog");
        std::fs::create_dir(&home).expect("a folder");
        let error = unpack_home(&fixture(), folder.path()).expect_err("must refuse");
        assert!(matches!(error, UnpackError::Exists { .. }), "{error}");
        assert_eq!(std::fs::read_dir(&home).expect("reads").count(), 0);
    }

    #[test]
    fn a_truncated_file_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bytes = std::fs::read(fixture()).expect("reads");
        let cut = folder.path().join("cut.tar.zst");
        std::fs::write(&cut, &bytes[..bytes.len() / 2]).expect("writes");
        assert!(unpack_home(&cut, &folder.path().join("out")).is_err());
    }

    #[test]
    fn another_name_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = unpack_home(Path::new("home.tgz"), &folder.path().join("out")).expect_err("must refuse");
        assert!(matches!(error, UnpackError::Name { .. }), "{error}");
        assert!(!folder.path().join("out").exists());
    }
}
