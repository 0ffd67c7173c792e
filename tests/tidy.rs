//! Rules of the repository that no compiler checks, each with its reason.

// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let (mut folders, mut files) = (vec![root().join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    assert!(!files.is_empty(), "{folder} has no source files");
    files
}

/// The part of a file before its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap()
}

fn is_test(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy();
    name == "tests"
        || name.ends_with("_tests")
        || path.components().any(|c| c.as_os_str() == "tests")
}

/// Native and Wasm responses can differ only in files that know the platform.
#[test]
fn only_the_runtime_folder_knows_the_platform() {
    for (path, text) in sources("src") {
        let file = path.strip_prefix(root().join("src")).unwrap().to_string_lossy().into_owned();
        let knows = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let runtime = file.starts_with("runtime/");
        assert!(runtime || !knows(&["js_sys", "web_sys", "wasm_bindgen", "worker::"]), "{file}");
    }
}

/// A future of the Worker is resumed only when a promise of `runtime::task::settled` has
/// settled, so nothing else may be awaited: another future would never be woken.
#[test]
fn only_promises_are_awaited() {
    for (path, text) in sources("src") {
        for word in ["JsFuture", "wasm_bindgen_futures", "futures::", "spawn_local", "Waker::from"]
        {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
        if !path.ends_with("runtime/task.rs") {
            assert!(!text.contains("poll_fn"), "{} makes a future of its own", path.display());
        }
    }
}

/// If two files import each other, neither can be understood alone.
#[test]
fn no_two_files_import_each_other() {
    let crates = [
        "catalog",
        "endpoint",
        "git",
        "kv-api",
        "notice",
        "ramp",
        "reconcile",
        "release",
        "slotctl",
    ];
    let folders = crates.map(|name| format!("crates/{name}/src"));
    for folder in ["src".to_owned()].iter().chain(&folders) {
        let modules = modules(folder);
        for (module, imports) in &modules {
            for other in imports {
                let back = modules.get(other).is_some_and(|imports| imports.contains(module));
                assert!(!back, "{folder}: {module:?} and {other:?} import each other");
            }
        }
    }
}

/// The modules of a folder by their paths, each with the modules that it imports.
fn modules(folder: &str) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let files = sources(folder).into_iter().filter(|(path, _)| !is_test(path));
    let files: BTreeMap<Vec<String>, String> = files
        .map(|(path, text)| {
            let path = path.strip_prefix(root().join(folder)).unwrap().with_extension("");
            let segments = path.iter().map(|segment| segment.to_string_lossy().into_owned());
            let segments = segments.filter(|segment| segment != "mod" && segment != "lib");
            (segments.collect(), code(&text).to_owned())
        })
        .collect();
    let known = |path: &[String]| {
        let mut longest = (0..=path.len()).rev().map(|end| path[..end].to_vec());
        longest.find(|path| files.contains_key(path)).unwrap_or_default()
    };
    let imports = |module: &Vec<String>, text: &str| {
        let all = imported(module, text).into_iter().map(|path| known(&path));
        all.filter(|other| other != module).collect()
    };
    files.iter().map(|(module, text)| (module.clone(), imports(module, text))).collect()
}

/// The paths of the `use` lines of a module, as far as they are within the crate.
fn imported(module: &[String], text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let text = lines.collect::<Vec<_>>().join(" ");
    let uses = text.split("use ").skip(1).filter_map(|rest| rest.split_once(';'));
    let paths = uses.flat_map(|(tree, _)| expanded(&tree.replace(' ', "")));
    paths.filter_map(|path| absolute(module, &path)).collect()
}

/// Every path of a `use` tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expanded(tree: &str) -> Vec<String> {
    let Some((prefix, rest)) = tree.split_once('{') else { return vec![tree.to_owned()] };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for character in inner.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(character);
    }
    parts.iter().flat_map(|part| expanded(part)).map(|part| format!("{prefix}{part}")).collect()
}

fn absolute(module: &[String], path: &str) -> Option<Vec<String>> {
    let mut segments = path.split("::").map(str::to_owned).peekable();
    let mut base = match segments.next()?.as_str() {
        "crate" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module.split_last()?.1.to_vec(),
        _ => return None,
    };
    while segments.next_if(|segment| segment == "super").is_some() {
        base.pop();
    }
    base.extend(segments);
    Some(base)
}

/// The fast lane only remembers: the full path and `catalog` decide.
#[test]
fn the_lane_has_fewer_than_200_lines_of_code() {
    let text = fs::read_to_string(root().join("src/lane/mod.rs")).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let count = lines.filter(|line| !line.trim().is_empty()).count();
    assert!(count < 200, "src/lane/mod.rs has {count} lines of code");
}

/// The domain has no I/O, no clock, no randomness and no platform.
#[test]
fn the_domain_has_no_side_effects() {
    const PURE: [&str; 5] = [
        "crates/catalog/src",
        "crates/endpoint/src",
        "crates/ramp/src",
        "crates/reconcile/src",
        "crates/release/src",
    ];
    let impure = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "::now()",
        "getrandom",
        "js_sys",
        "println!",
    ];
    for folder in PURE {
        for (path, text) in sources(folder).into_iter().filter(|(path, _)| !is_test(path)) {
            for word in impure {
                assert!(!code(&text).contains(word), "{}: {word}", path.display());
            }
        }
    }
}

/// Responses do not know how components are stored; wrangler knows neither Git nor KV.
#[test]
fn respond_and_wrangler_do_not_use_the_store() {
    for word in ["kv_api", "git::"] {
        for (path, text) in sources("crates/slotctl/src/wrangler") {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
    let respond = fs::read_to_string(root().join("src/http/respond.rs")).unwrap();
    assert!(!respond.contains("backend"), "respond.rs knows the store");
}

/// A longer file is hard to keep in mind.
#[test]
fn files_are_below_300_lines() {
    for folder in ["src", "crates"] {
        for (path, text) in sources(folder).into_iter().filter(|(path, _)| !is_test(path)) {
            let lines = code(&text).lines().count();
            assert!(lines <= 300, "{} has {lines} lines without its tests", path.display());
        }
    }
}

/// Open work belongs into an issue, where people look for it.
#[test]
fn no_comment_marks_unfinished_work() {
    for folder in ["src", "crates", "tests"] {
        for (path, text) in sources(folder) {
            for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")] {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
        }
    }
}
