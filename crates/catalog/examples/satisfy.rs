//! Evaluates ranges for `tests/semver/oracle.test.mjs`. Each line of standard input is a JSON
//! array of a range and a list of versions. Each line of output is the JSON array of the
//! versions that satisfy the range, or `null` if the text is not a range.

use std::io::{BufRead, Write, stdin, stdout};

use catalog::range::Range;

fn satisfying(question: &str) -> serde_json::Result<String> {
    let (range, versions): (String, Vec<String>) = serde_json::from_str(question)?;
    let Ok(range) = range.parse::<Range>() else { return Ok("null".to_owned()) };
    let inside = |text: &&String| semver::Version::parse(text).is_ok_and(|v| range.matches(&v));
    serde_json::to_string(&versions.iter().filter(inside).collect::<Vec<_>>())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut output = stdout().lock();
    for question in stdin().lock().lines() {
        writeln!(output, "{}", satisfying(&question?)?)?;
    }
    Ok(())
}
