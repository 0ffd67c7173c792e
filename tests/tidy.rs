//! Rules of the repository that no compiler checks, each with its reason.

// A test says what it expects; a panic is how it fails.
#![allow(clippy::unwrap_used)]

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

/// The part before the file's own tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap()
}

fn is_test(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy();
    name == "tests"
        || name.ends_with("_tests")
        || path.components().any(|c| c.as_os_str() == "tests")
}

/// Native and Wasm answers can differ only in files that know the platform.
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

/// The fast lane remembers; what it decides is decided elsewhere.
#[test]
fn the_lane_is_short() {
    let text = fs::read_to_string(root().join("src/lane/mod.rs")).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let count = lines.filter(|line| !line.trim().is_empty()).count();
    assert!(count < 200, "src/lane/mod.rs has {count} lines of code");
}

/// The domain has no I/O, no clock, no randomness and no platform.
#[test]
fn the_domain_is_pure() {
    const PURE: [&str; 3] = ["crates/catalog/src", "crates/reconcile/src", "crates/release/src"];
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

/// Answers do not know where things are stored; wrangler knows neither Git nor KV.
#[test]
fn neighbours_that_do_not_know_each_other() {
    for word in ["kv_api", "git::"] {
        for (path, text) in sources("crates/slotctl/src/wrangler") {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
    let respond = fs::read_to_string(root().join("src/http/respond.rs")).unwrap();
    assert!(!respond.contains("backend"), "respond.rs knows the store");
}

/// A file that one can hold in mind.
#[test]
fn no_file_is_too_long() {
    for folder in ["src", "crates"] {
        for (path, text) in sources(folder).into_iter().filter(|(path, _)| !is_test(path)) {
            let lines = code(&text).lines().count();
            assert!(lines <= 300, "{} has {lines} lines without its tests", path.display());
        }
    }
}

/// Everything of the format is written down where people look for it.
#[test]
fn no_text_is_left_to_do() {
    for folder in ["src", "crates", "tests"] {
        for (path, text) in sources(folder) {
            for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")] {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
        }
    }
}
