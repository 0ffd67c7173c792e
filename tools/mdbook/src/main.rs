//! Builds the book in a folder: `mdbook-tool <folder with book.toml>`.

use std::path::PathBuf;
use std::process::ExitCode;

use mdbook_driver::MDBook;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: mdbook-tool <folder with book.toml>");
        return ExitCode::from(2);
    };
    match MDBook::load(&folder).and_then(|book| book.build()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error:#}", folder.display());
            ExitCode::FAILURE
        }
    }
}
