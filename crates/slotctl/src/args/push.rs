//! How to push.

use std::path::PathBuf;

/// What to push, and where to.
#[derive(Debug, clap::Args)]
pub(crate) struct PushArgs {
    /// The remote; by default the branch's own, else the only one, else origin
    #[arg(value_name = "REMOTE")]
    pub(crate) remote: Option<String>,

    /// Push the tags of components too
    #[arg(long)]
    pub(crate) tags: bool,

    /// Move slots on the remote, unless somebody else moved them since; never a version
    #[arg(long, requires = "tags")]
    pub(crate) force: bool,

    /// The components repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,

    /// Print what was pushed as one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) const HELP: &str = "\
Examples:
  slotctl push
      push the commits of the current branch
  slotctl push --tags
      push new versions and new slots too
  slotctl push --tags --force
      move slots on the remote as `slotctl tag set` moved them here

All of it is pushed or nothing. A slot that somebody else moved since this clone
last saw it is refused, and so is a version that is another one on the remote.

Exit codes: 0 done, 1 failed or something was refused, 2 usage";
