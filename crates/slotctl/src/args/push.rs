//! The command line of `push`.

use std::path::PathBuf;

/// The options of `push`.
#[derive(Debug, clap::Args)]
pub(crate) struct PushArgs {
    /// The remote [default: the remote of the branch, else the only one, else origin]
    #[arg(value_name = "REMOTE")]
    pub(crate) remote: Option<String>,

    /// Also push the tags of components
    #[arg(long)]
    pub(crate) tags: bool,

    /// Move slots on the remote, unless somebody else moved them; versions never move
    #[arg(long, requires = "tags")]
    pub(crate) force: bool,

    /// The components repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,

    /// Print the result as one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) const HELP: &str = "\
Examples:
  slotctl push
      push the commits of the current branch
  slotctl push --tags
      also push new versions and new slots
  slotctl push --tags --force
      move slots on the remote as `slotctl tag set` moved them here

Either everything is pushed or nothing. A slot is refused if somebody else moved it
since this clone last fetched it. A version is refused if the remote has another
commit for it.

Exit codes: 0 done, 1 failed or something was refused, 2 usage";
