//! Handles Ctrl-C: prints the state that the interrupted command leaves, and ends the process.

use crate::output::Output;
use crate::quote::quoted;

/// 128 and the number of SIGINT, as shells report it.
const EXIT_CODE: i32 = 130;

/// Handles Ctrl-C from now on. If the platform refuses the handler, Ctrl-C still ends the process,
/// without a message.
pub(crate) fn install(output: &Output) {
    let output = output.clone();
    let handler = move || {
        output.interrupted();
        std::process::exit(EXIT_CODE);
    };
    ctrlc::set_handler(handler).ok();
}

/// Returns the command line of this process with more options, to be pasted into a shell.
pub(crate) fn this_command(more: &[&str]) -> String {
    let own: Vec<String> = std::env::args().collect();
    let more = more.iter().filter(|option| !own.iter().any(|known| known == *option));
    let words = own.iter().map(String::as_str).chain(more.copied());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}
