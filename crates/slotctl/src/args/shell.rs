//! The command lines of `completions` and `man`.

use std::path::PathBuf;

/// The options of `completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  slotctl completions bash > ~/.local/share/bash-completion/completions/slotctl
      install the completions for bash
  slotctl completions zsh > ~/.zfunc/_slotctl
      install them for zsh, if fpath contains ~/.zfunc
  slotctl completions fish > ~/.config/fish/completions/slotctl.fish
      install them for fish";

/// The options of `man`.
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Folder for the pages of all commands [default: one page on stdout]
    pub(crate) dir: Option<PathBuf>,
}

pub(super) const MAN_HELP: &str = "\
Examples:
  slotctl man | man -l -
      read the manual page
  slotctl man ~/.local/share/man/man1
      install the pages for `man slotctl` and `man slotctl-sync`";
