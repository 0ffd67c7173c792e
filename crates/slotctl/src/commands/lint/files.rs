//! The files of a project.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use ignore::WalkBuilder;

use super::literal::DocumentContents;
use super::{html, json, script, yaml};
use crate::nearest::nearest_file;

/// A file and its contents.
pub(super) struct LintedFile {
    /// The path of the file below the project's folder.
    pub(super) name: String,
    pub(super) contents: DocumentContents,
}

/// A format that is read.
#[derive(Clone, Copy)]
enum Format {
    Yaml,
    Json,
    Script,
    Markup,
}

/// The files of package managers, which are not read.
const LOCKS: [&str; 3] = ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml"];

/// Reads the files that Git would not ignore, in the order of their names.
///
/// # Errors
///
/// If `dir` is not a folder, or if something in it cannot be read.
pub(super) fn read(dir: &Path) -> Result<Vec<LintedFile>> {
    paths(dir)?.into_iter().map(|(path, format)| file(dir, &path, format)).collect()
}

fn paths(dir: &Path) -> Result<Vec<(PathBuf, Format)>> {
    if !dir.is_dir() {
        bail!("{} is not a folder{}", dir.display(), nearest_file(dir));
    }
    let mut walk = WalkBuilder::new(dir);
    // A project's .gitignore also counts if the project is not a repository yet.
    walk.require_git(false).filter_entry(|entry| entry.file_name() != "node_modules");
    let mut paths = Vec::new();
    for entry in walk.build() {
        let entry = entry.with_context(|| format!("can't read {}", dir.display()))?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        let is_lock = LOCKS.iter().any(|lock| entry.file_name() == *lock);
        if let (Some(format), true, false) = (format_of(entry.path()), is_file, is_lock) {
            paths.push((entry.into_path(), format));
        }
    }
    paths.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(paths)
}

fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "yaml" | "yml" => Some(Format::Yaml),
        "json" | "jsonc" => Some(Format::Json),
        "ts" | "tsx" | "mts" | "cts" | "js" | "jsx" | "mjs" | "cjs" => Some(Format::Script),
        "html" | "htm" | "hbs" | "handlebars" | "mjml" => Some(Format::Markup),
        _ => None,
    }
}

fn file(dir: &Path, path: &Path, format: Format) -> Result<LintedFile> {
    let bytes = fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let name = path.strip_prefix(dir).unwrap_or(path).display().to_string();
    let contents = match format {
        Format::Yaml => yaml::read(text),
        Format::Json => json::read(text),
        Format::Script => script::read(path, text),
        Format::Markup => html::read(text),
    };
    Ok(LintedFile { name, contents })
}
