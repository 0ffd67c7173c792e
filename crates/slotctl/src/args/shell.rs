//! The command line of what makes slotctl at home in a shell.

use std::path::PathBuf;

/// For which shell.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  slotctl completions bash > ~/.local/share/bash-completion/completions/slotctl
      for bash, from the next shell on
  slotctl completions zsh > ~/.zfunc/_slotctl
      for zsh, where fpath has ~/.zfunc
  slotctl completions fish > ~/.config/fish/completions/slotctl.fish
      for fish";

/// Where to.
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The folder to write a page for every command to; else one page to stdout
    pub(crate) dir: Option<PathBuf>,
}

pub(super) const MAN_HELP: &str = "\
Examples:
  slotctl man | man -l -
      read the page here and now
  slotctl man ~/.local/share/man/man1
      have `man slotctl` and `man slotctl-sync` find them";
