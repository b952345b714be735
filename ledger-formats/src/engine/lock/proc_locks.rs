//! `/proc/locks`: the kernel's list of advisory locks.
//!
//! ```text
//! 9: FLOCK  ADVISORY  WRITE 17928 fe:00:5379601 0 EOF
//! 1: POSIX  ADVISORY  WRITE 18157 fe:00:5379649 0 EOF
//! 1: -> POSIX ADVISORY WRITE 99 fe:00:5379649 0 EOF          waits, holds nothing
//! number, kind, mode, access, pid, major:minor (hex):inode (decimal), first and last byte
//! ```
//! On btrfs and overlay the device differs from what `stat` says; then the inode alone matches, and
//! the process must have that very file open (`/proc/<pid>/fd`), as far as this user may look.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{LockError, LockHolder, LockKind};

const LOCKS: &str = "/proc/locks";
/// Longest command line that is told.
const COMMAND_MAX: usize = 120;

/// A line of the list.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    kind: LockKind,
    pid: i32,
    major: u64,
    minor: u64,
    inode: u64,
}

impl Line {
    /// `None` for a waiter, for other kinds, and for what does not parse.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let kind = match fields.next()? {
            "FLOCK" => LockKind::Flock,
            "POSIX" => LockKind::Fcntl,
            _ => return None,
        };
        let pid = fields.nth(2)?.parse().ok()?;
        let mut place = fields.next()?.split(':');
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        Some(Self {
            kind,
            pid,
            major: hex(place.next()?)?,
            minor: hex(place.next()?)?,
            inode: place.next()?.parse().ok()?,
        })
    }
}

/// The processes that hold a lock on the file with this device and inode.
pub(super) fn of(file: &Path, device: u64, inode: u64) -> Result<Vec<LockHolder>, LockError> {
    let list = fs::read_to_string(LOCKS).map_err(|error| LockError::io(Path::new(LOCKS), error))?;
    let (major, minor) = (u64::from(rustix::fs::major(device)), u64::from(rustix::fs::minor(device)));
    let holds = |line: &Line| {
        line.inode == inode && ((line.major, line.minor) == (major, minor) || has_open(line.pid, device, inode))
    };
    let lines = list.lines().filter_map(Line::parse).filter(holds);
    Ok(lines
        .map(|line| LockHolder {
            file: file.to_path_buf(),
            kind: line.kind,
            pid: (line.pid > 0).then_some(line.pid),
            process: process_name(line.pid),
        })
        .collect())
}

/// Whether a process has this file open; `false` when this user may not look.
fn has_open(pid: i32, device: u64, inode: u64) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    open.flatten()
        .filter_map(|entry| fs::metadata(entry.path()).ok())
        .any(|meta| (meta.dev(), meta.ino()) == (device, inode))
}

/// Name and command line of a process.
pub(super) fn process_name(pid: i32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    let command: String = command.trim().chars().filter(|c| !c.is_control()).take(COMMAND_MAX).collect();
    Some(if command.is_empty() { name.trim().to_owned() } else { format!("{}: {command}", name.trim()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_the_kernel_writes_them() {
        let line = Line::parse("9: FLOCK  ADVISORY  WRITE 17928 fe:00:5379601 0 EOF");
        assert_eq!(line, Some(Line { kind: LockKind::Flock, pid: 17928, major: 0xfe, minor: 0, inode: 5_379_601 }));
        let line = Line::parse("1: POSIX  ADVISORY  WRITE 18157 103:1f:5379649 0 EOF").unwrap();
        assert_eq!((line.kind, line.major, line.minor), (LockKind::Fcntl, 0x103, 0x1f));
        assert_eq!(Line::parse("1: -> POSIX  ADVISORY  WRITE 99 fe:00:5379649 0 EOF"), None);
        assert_eq!(Line::parse("2: OFDLCK ADVISORY  READ -1 00:06:1030 0 EOF"), None);
        assert_eq!(Line::parse("3: FLOCK ADVISORY WRITE x"), None);
        assert_eq!(Line::parse(""), None);
    }
}
