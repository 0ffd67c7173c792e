//! Creates, moves and deletes tags with the user's own Git.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow};
use gix_hash::ObjectId;

use crate::command::one_line;
use crate::repository::Repository;
use notice::Refused;

/// An update of a ref, or its deletion if `id` is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    /// Its full name.
    pub name: String,
    /// Its new target.
    pub id: Option<ObjectId>,
}

/// The result of a command of Git.
#[derive(Debug)]
pub struct Ran {
    /// True if the exit code is 0.
    pub ok: bool,
    /// Its stdout.
    pub stdout: Vec<u8>,
    /// Its stderr.
    pub stderr: Vec<u8>,
}

/// Creates an annotated tag as `git tag` does: signed, checked by hooks, and with the
/// configured identity of the user. `name` is the short name.
///
/// # Errors
///
/// Fails if Git cannot be run, or does not make the tag.
pub fn make_tag(
    repository: &Repository,
    name: &str,
    target: ObjectId,
    message: &str,
    replace: bool,
) -> Result<()> {
    let mut command = repository.git.user_command();
    // A slot is a tag of its version's tag, which Git advises against.
    command.args(["-c", "advice.nestedTag=false", "tag", "--annotate"]);
    // A line of the message may begin with '#'.
    command.args(["--cleanup=whitespace", &format!("--message={message}")]);
    if replace {
        command.arg("--force");
    }
    command.args(["--end-of-options", name, &target.to_string()]);
    done(run(&mut command)?, name)
}

/// Deletes a tag that points to `id`.
///
/// # Errors
///
/// Fails if Git cannot be run, or does not delete the tag.
pub fn delete_tag(repository: &Repository, name: &str, id: ObjectId) -> Result<()> {
    let full_name = format!("refs/tags/{name}");
    let mut command = repository.git.user_command();
    command.args(["update-ref", "-d", &full_name, &id.to_string()]);
    done(run(&mut command)?, name)
}

/// Sets and deletes refs in one transaction.
///
/// # Errors
///
/// Fails if Git cannot be run, or does not update the refs.
pub fn update_refs(repository: &Repository, updates: &[RefUpdate]) -> Result<()> {
    if updates.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for RefUpdate { name, id } in updates {
        // A ref that does not exist counts as deleted.
        match id {
            Some(id) => writeln!(text, "update {name} {id}")?,
            None => writeln!(text, "delete {name}")?,
        }
    }
    let mut command = repository.git.command();
    command.args(["update-ref", "--stdin"]).stdin(Stdio::piped());
    let mut child = command.spawn().context("git could not be started")?;
    let mut stdin = child.stdin.take().context("git does not accept input")?;
    // Git reads the whole input before it prints anything.
    let written = stdin.write_all(text.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().context("waiting for git failed")?;
    let ran = Ran { ok: output.status.success(), stdout: output.stdout, stderr: output.stderr };
    done(ran, "refs/slotctl")?;
    written.context("git exited early")
}

/// Runs a command of Git to its end.
///
/// # Errors
///
/// Fails if the command cannot be started. An exit code is not an error: see [`Ran`].
pub fn run(command: &mut Command) -> Result<Ran> {
    let output = command.output().context("git could not be started")?;
    Ok(Ran { ok: output.status.success(), stdout: output.stdout, stderr: output.stderr })
}

fn done(ran: Ran, subject: &str) -> Result<()> {
    if ran.ok {
        return Ok(());
    }
    let said = one_line(&ran.stderr);
    Err(match way_out(&said) {
        Some(help) => Refused::new(subject, said, help).into(),
        None => anyhow!("{subject}: {said}"),
    })
}

/// Returns advice on an error message of Git, if there is more to say than Git does.
fn way_out(said: &str) -> Option<&'static str> {
    const IDENTITY: [&str; 4] =
        ["tell me who you are", "empty ident", "auto-detect email", "Author identity unknown"];
    const SIGNING: [&str; 4] =
        ["unable to sign the tag", "failed to sign", "signing failed", "user.signingkey"];
    let holds = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    if holds(&IDENTITY) {
        return Some(
            "set the Git identity: git config --global user.name '<name>', and user.email",
        );
    }
    if holds(&SIGNING) {
        return Some(
            "tag.gpgSign asks for a signature: unlock the key that user.signingKey names, or \
             git config tag.gpgSign false",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refs;
    use crate::testing::Repo;

    #[test]
    fn refs_are_set_and_deleted_together() {
        let repo = Repo::new();
        let commit = repo.commit_file("a", "a");
        let repository = Repository::open(repo.path()).unwrap();
        let id = ObjectId::from_hex(commit.as_bytes()).unwrap();
        let name = |name: &str| format!("refs/slotctl/{name}");
        let set = |name, id| RefUpdate { name, id };
        update_refs(&repository, &[set(name("a"), Some(id)), set(name("b"), Some(id))]).unwrap();
        update_refs(&repository, &[set(name("a"), None), set(name("gone"), None)]).unwrap();
        let refs = refs::list(&repository, &["refs/slotctl"]).unwrap().refs;
        let names: Vec<_> = refs.iter().map(|found| found.name.as_slice()).collect();
        assert_eq!(names, [b"refs/slotctl/b"]);
        assert!(update_refs(&repository, &[set("refs/a b".to_owned(), Some(id))]).is_err());
    }

    #[test]
    fn known_git_errors_get_a_hint() {
        for (said, help) in [
            ("fatal: unable to auto-detect email address", "user.email"),
            ("error: gpg failed to sign the data", "tag.gpgSign"),
        ] {
            assert!(way_out(said).unwrap().contains(help));
        }
        assert_eq!(way_out("fatal: anything"), None);
    }
}
