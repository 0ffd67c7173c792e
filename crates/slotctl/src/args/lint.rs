//! The arguments of `slotctl lint`.

use std::path::PathBuf;

use super::repo::RepoArgs;

/// The project to check, and the repository with its components.
#[derive(Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// The folder of the Conductor project
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,

    #[command(flatten)]
    pub(crate) common: RepoArgs,
}

pub(super) const HELP: &str = "\
Examples:
  slotctl lint . --repo ../components
      List the references of this project that ../components does not have
  slotctl lint ensembles --repo ../components --json > lint.json
      Write the findings as JSON

It reads the YAML, JSON, TypeScript, JavaScript and HTML files that Git does not
ignore. What a reference means depends on who reads its place: of a think agent,
`prompt: prompts/extraction@production` is loaded, and
`prompt: prompt://extraction@production` is taken for text. The name of an imported
module is never a reference. docs/conductor.md has the table. A reference that a
script computes cannot be seen.

`# slotctl-ignore` (`// slotctl-ignore`, `<!-- slotctl-ignore -->`) behind a
reference or on the line before it silences its line.

Exit codes: 0 no errors, 1 the command failed, 2 wrong usage, 3 errors were found";
