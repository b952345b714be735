//! `unpack-home FILE.tar.zst FOLDER`: unpacks a packed home and prints its path.

use std::path::Path;
use std::process::ExitCode;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for scripts: the path goes to stdout")]
fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [file, folder] = arguments.as_slice() else {
        eprintln!("usage: unpack-home FILE.tar.zst FOLDER");
        return ExitCode::from(2);
    };
    match testnet::unpack::unpack_home(Path::new(file), Path::new(folder)) {
        Ok(home) => {
            println!("{}", home.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("unpack-home: {error}");
            ExitCode::FAILURE
        }
    }
}
