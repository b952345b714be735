//! What a file system offers: free bytes, its device, whether it can be written, whether it can exchange two folders.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ledger_formats::durable::{self, DurableError};
use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::io::Errno;

/// Bytes that an ordinary user may still write on the file system of `path`.
///
/// # Errors
/// When `path` does not exist or the file system does not say.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let told = statvfs(path)?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}

/// Whether the file system of `path` is mounted read-only.
///
/// # Errors
/// When `path` does not exist or the file system does not say.
pub fn is_read_only(path: &Path) -> io::Result<bool> {
    Ok(statvfs(path)?.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// The device (`st_dev`) that holds `path`, symlinks followed: paths with different devices cannot be renamed or linked to each other.
///
/// # Errors
/// When `path` does not exist.
pub fn device(path: &Path) -> io::Result<u64> {
    Ok(fs::metadata(path)?.dev())
}

/// Whether two folders can change places atomically in `dir`, tried with two empty ones that are removed again.
///
/// # Errors
/// When `dir` cannot be written. A file system that cannot exchange is no error but the answer `false`.
pub fn can_exchange(dir: &Path) -> Result<bool, DurableError> {
    let (first, second) = (dir.join("exchange-probe-1"), dir.join("exchange-probe-2"));
    durable::create_dir_all(&first)?;
    durable::create_dir_all(&second)?;
    let exchanged = durable::exchange(&first, &second);
    durable::remove_dir_all(&first)?;
    durable::remove_dir_all(&second)?;
    match exchanged {
        Ok(()) => Ok(true),
        Err(error) if is_unsupported(&error.source) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Kernels say "no such call" or "invalid", file systems also "not supported".
fn is_unsupported(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP))
}

#[cfg(test)]
mod tests {
    use super::{can_exchange, device, free_bytes, is_read_only};
    use std::path::Path;

    #[test]
    fn a_temporary_folder_can_be_written() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        assert!(free_bytes(dir.path()).expect("is told") > 0);
        assert!(!is_read_only(dir.path()).expect("is told"));
        assert_ne!(device(dir.path()).expect("is told"), device(Path::new("/proc")).expect("is told"));
    }

    #[test]
    fn the_exchange_is_tried_and_leaves_nothing() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        assert!(can_exchange(dir.path()).expect("can be tried"));
        assert_eq!(std::fs::read_dir(dir.path()).expect("lists").count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        assert!(can_exchange(Path::new("/proc/self")).is_err());
        assert!(free_bytes(Path::new("/nonexistent")).is_err());
    }
}
