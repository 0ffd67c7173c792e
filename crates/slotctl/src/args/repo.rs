//! The repository that a command reads.

use std::path::PathBuf;

/// Which repository, and whose refs of it count.
#[derive(Debug, clap::Args)]
pub(crate) struct RepoArgs {
    /// The components repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,

    /// The remote whose refs count: a name or an address; by default the upstream's of the
    /// branch that is checked out, else origin, else the only one
    #[arg(long, value_name = "NAME|URL")]
    pub(crate) remote: Option<String>,

    /// Go by the refs of this clone, whatever the remote has
    #[arg(long, conflicts_with = "remote")]
    pub(crate) local_refs: bool,

    /// Registry of component paths (format of .edgit/components.json); takes precedence
    #[arg(long, value_name = "FILE")]
    pub(crate) registry: Option<PathBuf>,

    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
