//! Which repository a command reads.

use std::path::PathBuf;

/// Which repository, read without a network.
#[derive(Debug, clap::Args)]
pub(crate) struct RepoArgs {
    /// The components repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,

    /// Where components lie, in the shape of .edgit/components.json; asked first
    #[arg(long, value_name = "FILE")]
    pub(crate) registry: Option<PathBuf>,

    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
