//! The command line of `tag`.

use std::path::PathBuf;

use catalog::name::ComponentName;
use catalog::slot::Slot;
use catalog::version::{Part, Version};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap_complete::ArgValueCandidates;
use reconcile::tag::{Prefix, TagTarget};

use crate::completion::{components, slots, versions_and_slots};

/// The options of `tag`.
#[derive(Debug, clap::Args)]
pub(crate) struct TagArgs {
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) command: TagCommand,
}

/// The subcommands of `tag`.
#[derive(Debug, Subcommand)]
pub(crate) enum TagCommand {
    /// Create a version of a component
    #[command(after_help = CREATE_HELP)]
    Create(CreateArgs),
    /// Set a slot to a version or a commit
    #[command(after_help = SET_HELP)]
    Set(SetArgs),
    /// List the tags of all components, or of one
    #[command(after_help = LIST_HELP)]
    List(ListArgs),
    /// Show a component, or one of its versions or slots
    #[command(after_help = SHOW_HELP)]
    Show(ShowArgs),
    /// Delete a slot, or with --force a version, in this repository
    #[command(after_help = DELETE_HELP)]
    Delete(DeleteArgs),
    /// Create the next version of a component
    #[command(after_help = BUMP_HELP)]
    Bump(BumpArgs),
}

impl TagCommand {
    /// Returns the name of the command and its common options.
    pub(crate) fn common(&self) -> (&'static str, &CommonArgs) {
        match self {
            Self::Create(args) => ("tag create", &args.common),
            Self::Set(args) => ("tag set", &args.common),
            Self::List(args) => ("tag list", &args.common),
            Self::Show(args) => ("tag show", &args.common),
            Self::Delete(args) => ("tag delete", &args.common),
            Self::Bump(args) => ("tag bump", &args.common),
        }
    }
}

/// The options of every subcommand of `tag`.
#[derive(Debug, clap::Args)]
pub(crate) struct CommonArgs {
    /// First part of the tags: components (served from KV) or logic (needs a rebuild)
    #[arg(long, value_name = "PREFIX", default_value = "components", value_parser = prefix())]
    pub(crate) prefix: Prefix,

    /// The components repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) repo: PathBuf,

    /// Print the result as one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// The options of commands that create tags.
#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// File of the component, relative to the root of the repository
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,

    /// Registry of component paths (format of .edgit/components.json); takes precedence
    #[arg(long, value_name = "FILE")]
    pub(crate) registry: Option<PathBuf>,

    /// Message of the tag
    #[arg(long, short, value_name = "TEXT")]
    pub(crate) message: Option<String>,

    /// Tag HEAD although the file has changes that are not committed
    #[arg(long)]
    pub(crate) allow_dirty: bool,
}

/// The options of `tag create`.
#[derive(Debug, clap::Args)]
pub(crate) struct CreateArgs {
    /// The component: <type>/<name>
    #[arg(add = ArgValueCandidates::new(components))]
    pub(crate) component: ComponentName,
    /// The version: SemVer with a leading v, e.g. v1.0.0
    #[arg(value_parser = version)]
    pub(crate) version: Version,
    /// The commit
    #[arg(default_value = "HEAD")]
    pub(crate) commit: String,
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// The options of `tag set`.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    /// The component: <type>/<name>
    #[arg(add = ArgValueCandidates::new(components))]
    pub(crate) component: ComponentName,
    /// The slot, e.g. production
    #[arg(value_parser = slot, add = ArgValueCandidates::new(slots))]
    pub(crate) slot: Slot,
    /// A version, a commit, or another slot of the component for its current version
    #[arg(
        default_value = "HEAD", value_name = "VERSION|COMMIT",
        add = ArgValueCandidates::new(versions_and_slots)
    )]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// The options of `tag list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// The component: <type>/<name>
    #[arg(add = ArgValueCandidates::new(components))]
    pub(crate) component: Option<ComponentName>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// The options of `tag show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The component: <type>/<name>
    #[arg(add = ArgValueCandidates::new(components))]
    pub(crate) component: ComponentName,
    /// A version or a slot
    #[arg(value_name = "REF", add = ArgValueCandidates::new(versions_and_slots))]
    pub(crate) target: Option<TagTarget>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// The options of `tag delete`.
#[derive(Debug, clap::Args)]
pub(crate) struct DeleteArgs {
    /// The component: <type>/<name>
    #[arg(add = ArgValueCandidates::new(components))]
    pub(crate) component: ComponentName,
    /// A version or a slot
    #[arg(value_name = "REF", add = ArgValueCandidates::new(versions_and_slots))]
    pub(crate) target: TagTarget,
    /// Allow the deletion of a version
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// The options of `tag bump`.
#[derive(Debug, clap::Args)]
pub(crate) struct BumpArgs {
    /// The component: <type>/<name>
    #[arg(add = ArgValueCandidates::new(components))]
    pub(crate) component: ComponentName,
    /// The number to increase: major, minor or patch
    #[arg(value_parser = part())]
    pub(crate) part: Part,
    /// The commit
    #[arg(default_value = "HEAD")]
    pub(crate) commit: String,
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

fn prefix() -> impl TypedValueParser<Value = Prefix> {
    PossibleValuesParser::new(["components", "logic"]).map(|name| match name.as_str() {
        "logic" => Prefix::Logic,
        _ => Prefix::Components,
    })
}

fn part() -> impl TypedValueParser<Value = Part> {
    PossibleValuesParser::new(["major", "minor", "patch"]).map(|name| match name.as_str() {
        "major" => Part::Major,
        "minor" => Part::Minor,
        _ => Part::Patch,
    })
}

fn version(text: &str) -> Result<Version, String> {
    match text.parse() {
        Ok(TagTarget::Version(version)) => Ok(version),
        Ok(TagTarget::Slot(slot)) => {
            Err(format!("{slot} is a slot: `slotctl tag set` sets it; a version is v1.0.0"))
        }
        Err(error) => Err(error.to_string()),
    }
}

fn slot(text: &str) -> Result<Slot, String> {
    match text.parse() {
        Ok(TagTarget::Slot(slot)) => Ok(slot),
        Ok(TagTarget::Version(version)) => Err(format!(
            "{version} is a version, which never moves: `slotctl tag create` makes one"
        )),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) const HELP: &str = "\
Examples:
  slotctl tag create prompts/extraction v1.0.0
      create a version at HEAD
  slotctl tag set prompts/extraction production v1.0.0
      set a slot to that version
  slotctl tag list prompts/extraction
      list its versions and slots";

const CREATE_HELP: &str = "\
Examples:
  slotctl tag create prompts/extraction v1.0.0
      create v1.0.0 at HEAD
  slotctl tag create prompts/extraction v1.0.1 4f2a9c1 --message 'Fix the dates'
      create v1.0.1 at an earlier commit
  slotctl tag create templates/emails/welcome v2.0.0 --path mails/welcome.hbs
      name the file if it is neither in a registry nor at a conventional path

The tag is created with `git tag`, and signed if tag.gpgSign is set. Push it with
`slotctl push --tags`.";

const SET_HELP: &str = "\
Examples:
  slotctl tag set prompts/extraction production v1.0.0
      deploy, promote or roll back production to v1.0.0
  slotctl tag set prompts/extraction production staging
      set production to the current version of staging
  slotctl tag set prompts/extraction dev
      set dev to HEAD, even if no version is tagged there

Push it with `slotctl push --tags --force`.";

const LIST_HELP: &str = "\
Examples:
  slotctl tag list
  slotctl tag list prompts/extraction --json";

const SHOW_HELP: &str = "\
Examples:
  slotctl tag show prompts/extraction
      show its slots and versions
  slotctl tag show prompts/extraction production
      show the version of production, with author, time and reason";

const DELETE_HELP: &str = "\
Examples:
  slotctl tag delete prompts/extraction canary
  slotctl tag delete prompts/extraction v1.0.0-rc.1 --force

The tag is deleted in this repository only. The command that deletes it on the
remote is printed.";

const BUMP_HELP: &str = "\
Examples:
  slotctl tag bump prompts/extraction minor
      create v1.3.0 at HEAD if v1.2.3 is the highest version";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_slots_are_distinguished() {
        assert_eq!(version("v1.0.0-rc.1").unwrap().to_string(), "v1.0.0-rc.1");
        assert_eq!(slot("ring-0").unwrap().as_str(), "ring-0");
        assert!(version("production").unwrap_err().contains("slotctl tag set"));
        assert!(version("v1.0").unwrap_err().contains("did you mean v1.0.0?"));
        assert!(slot("v1.0.0").unwrap_err().contains("slotctl tag create"));
        assert!(slot("--force").is_err());
    }
}
