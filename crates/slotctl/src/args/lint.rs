//! How to lint.

use std::path::PathBuf;

use super::repo::RepoArgs;

/// Which project, against which components.
#[derive(Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// The Conductor project: its YAML, TypeScript and JavaScript are read
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,

    #[command(flatten)]
    pub(crate) common: RepoArgs,
}

pub(super) const HELP: &str = "\
Examples:
  slotctl lint . --repo ../components
      every reference in this project that ../components does not have
  slotctl lint ensembles --repo ../components --json > lint.json
      the same for machines

It reads files that Git would not ignore, and finds in them `prompts/extraction@production`,
`prompts/extraction/v1.0.0`, `components/...` the same way, `prompt://extraction@production`,
and `loadComponent('extraction@production', env, 'prompt')`, whole texts and what is quoted
inside of `${...}`. A reference that a script puts together it can't see.

Exit codes: 0 no errors, 1 failed or something was refused, 2 usage, 3 errors were found";
