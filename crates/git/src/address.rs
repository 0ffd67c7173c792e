//! The choice of a remote and the form in which its address is shown.

use std::path::Path;

use anyhow::Result;
use notice::{Refused, printable};

use crate::remote::{current_branch, names};
use crate::repository::Repository;

/// A remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The configured name or the address that is passed to Git.
    pub name: String,
    /// Its address, without credentials.
    pub url: String,
}

impl Remote {
    /// Returns the name of the remote, or its address if the remote is not configured.
    pub fn shown(&self) -> String {
        let is_name = !self.name.contains([':', '/', '\\']);
        printable(if is_name { self.name.as_bytes() } else { self.url.as_bytes() })
    }
}

/// Chooses a remote: `named`, else the upstream of the current branch, else `origin`, else the
/// only remote. Returns `None` if the repository has no remotes.
///
/// # Errors
///
/// [`Refused`] if `named` is neither a remote nor an address, or if there are several remotes
/// and no rule chooses one.
pub fn choose(repository: &Repository, named: Option<&str>) -> Result<Option<Remote>> {
    let remotes = names(repository)?;
    if let Some(named) = named {
        return by_name(repository, named, &remotes).map(Some);
    }
    let upstream = upstream(repository).filter(|name| remotes.contains(name));
    let origin = || remotes.iter().find(|name| *name == "origin").cloned();
    let only = || if let [only] = remotes.as_slice() { Some(only.clone()) } else { None };
    match upstream.or_else(origin).or_else(only) {
        Some(name) => Ok(Some(configured(repository, name))),
        None if remotes.is_empty() => Ok(None),
        None => {
            let what = format!("there are several remotes: {}", remotes.join(", "));
            Err(Refused::new("remote", what, "say which one counts: --remote <name>").into())
        }
    }
}

fn upstream(repository: &Repository) -> Option<String> {
    let branch = current_branch(repository)?;
    repository.config(&format!("branch.{}.remote", branch.name))
}

fn by_name(repository: &Repository, named: &str, remotes: &[String]) -> Result<Remote> {
    if remotes.iter().any(|name| name == named) {
        return Ok(configured(repository, named.to_owned()));
    }
    if Path::new(named).is_dir() {
        // Git would resolve the path from the root of the repository.
        let path = std::path::absolute(named)?.to_string_lossy().into_owned();
        return Ok(Remote { url: path.clone(), name: path });
    }
    if named.contains(':') {
        return Ok(Remote { url: without_credentials(named), name: named.to_owned() });
    }
    let help = match remotes {
        [] => "give an address, or add one: git remote add origin <url>".to_owned(),
        _ => format!("it has: {}", remotes.join(", ")),
    };
    Err(Refused::new(printable(named.as_bytes()), "the repository has no such remote", help).into())
}

fn configured(repository: &Repository, name: String) -> Remote {
    let printed = repository.git.run(&["remote", "get-url", "--", &name]).unwrap_or_default();
    let url = String::from_utf8_lossy(printed.trim_ascii()).into_owned();
    Remote { url: without_credentials(&url), name }
}

/// Removes the user name, the password and the query from an address. `git@` and other user
/// names of `ssh` are kept: they are not secret, and the address does not work without them.
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return printable(url.as_bytes()) };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once('@') {
        Some((user, host)) if scheme.ends_with("ssh") => match user.split_once(':') {
            Some((user, _)) => format!("{user}@{host}"),
            None => authority.to_owned(),
        },
        Some((_, host)) => host.to_owned(),
        None => authority.split(['?', '#']).next().unwrap_or_default().to_owned(),
    };
    printable(format!("{scheme}://{host}{path}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Repo;

    #[test]
    fn credentials_are_removed_from_urls() {
        for (url, expected) in [
            ("https://u:p@example.com/a.git", "https://example.com/a.git"),
            ("https://token@example.com/a.git?key=1", "https://example.com/a.git"),
            ("https://u:p@@example.com", "https://example.com"),
            ("https://example.com?key=1", "https://example.com"),
            ("ssh://git:p@example.com/a", "ssh://git@example.com/a"),
            ("git@example.com:a/b.git", "git@example.com:a/b.git"),
            ("/srv/a@b.git", "/srv/a@b.git"),
            ("file:///srv/a.git", "file:///srv/a.git"),
        ] {
            assert_eq!(without_credentials(url), expected);
        }
    }

    fn chosen(repo: &Repo, named: Option<&str>) -> Result<Option<String>> {
        let repository = Repository::open(repo.path()).unwrap();
        choose(&repository, named).map(|remote| remote.map(|remote| remote.name))
    }

    #[test]
    fn upstream_remote_is_preferred_to_origin() {
        let repo = Repo::new();
        repo.commit_file("a", "a");
        let is = |name: &str| Some(name.to_owned());
        assert_eq!(chosen(&repo, None).unwrap(), None);
        repo.git(&["remote", "add", "fork", "https://u:p@example.com/fork"]);
        assert_eq!(chosen(&repo, None).unwrap(), is("fork"), "the only one");
        repo.git(&["remote", "add", "team", "https://example.com/team"]);
        let error = chosen(&repo, None).unwrap_err().to_string();
        assert!(error.contains("several remotes: fork, team"), "{error}");
        repo.git(&["remote", "add", "origin", "https://example.com/origin"]);
        assert_eq!(chosen(&repo, None).unwrap(), is("origin"));
        repo.git(&["config", "branch.main.remote", "team"]);
        assert_eq!(chosen(&repo, None).unwrap(), is("team"));
        repo.git(&["config", "branch.main.remote", "."]);
        assert_eq!(chosen(&repo, None).unwrap(), is("origin"));
        assert_eq!(chosen(&repo, Some("fork")).unwrap(), is("fork"));
        assert!(chosen(&repo, Some("gone")).is_err());
        let url = "https://u:p@example.com/x";
        assert_eq!(chosen(&repo, Some(url)).unwrap(), is(url));
        let repository = Repository::open(repo.path()).unwrap();
        let fork = choose(&repository, Some("fork")).unwrap().unwrap();
        assert_eq!(
            (fork.shown(), fork.url),
            ("fork".to_owned(), "https://example.com/fork".to_owned())
        );
        let by_url = choose(&repository, Some(url)).unwrap().unwrap();
        assert_eq!(by_url.shown(), "https://example.com/x");
    }
}
