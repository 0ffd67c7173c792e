//! Lists the default branch, the branches and the tags of a remote in one call.

use gix_hash::ObjectId;

use crate::address::Remote;
use crate::network::{self, Limit, Unanswered};
use crate::refs::Ref;
use crate::repository::Repository;

/// The default branch of a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteHead {
    /// Its short name; `None` if HEAD of the remote is detached or the remote does not say.
    pub name: Option<String>,
    /// Its commit.
    pub commit: ObjectId,
}

/// The refs of a remote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteRefs {
    /// The target of its HEAD; `None` if HEAD is a branch without commits.
    pub default: Option<RemoteHead>,
    /// Its branches, by full name.
    pub branches: Vec<Ref>,
    /// Its tags, by full name, each with the id of its tag object if it is annotated.
    pub tags: Vec<Ref>,
}

/// Lists the refs of a remote with `git ls-remote --symref`.
///
/// # Errors
///
/// [`Unanswered`] if the remote does not answer within the limit, or if the answer is not a
/// list of refs.
pub fn ask(
    repository: &Repository,
    remote: &Remote,
    limit: Limit,
) -> Result<RemoteRefs, Unanswered> {
    let mut command = repository.git.user_command();
    network::restrict(&mut command);
    command.args(["ls-remote", network::UPLOAD_PACK, "--symref", "--end-of-options", &remote.name]);
    let printed =
        network::run(&mut command, Vec::new(), limit).map_err(|error| hide(error, remote))?;
    read(&printed, repository.hash).map_err(Unanswered::Said)
}

/// Removes the credentials of the remote's address from an error.
pub(crate) fn hide(error: Unanswered, remote: &Remote) -> Unanswered {
    match error {
        Unanswered::Said(said) if remote.name.contains("://") => {
            Unanswered::Said(said.replace(&remote.name, &remote.url))
        }
        error => error,
    }
}

/// Parses lines of `<id>\t<name>`, after `ref: refs/heads/main\tHEAD` if the remote names the
/// target of its HEAD. Names that end with `^{}` are the peeled targets of tags.
fn read(printed: &[u8], hash: gix_hash::Kind) -> Result<RemoteRefs, String> {
    let (mut refs, mut head, mut branch) = (RemoteRefs::default(), None, None);
    for line in printed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let odd = || format!("git ls-remote printed {:?}", String::from_utf8_lossy(line));
        let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(odd)?;
        let (id, name) =
            (line.get(..tab).unwrap_or_default(), line.get(tab + 1..).unwrap_or_default());
        if let Some(target) = id.strip_prefix(b"ref: ") {
            branch = (name == b"HEAD").then(|| short(target)).flatten().or(branch);
            continue;
        }
        let id = ObjectId::from_hex(id).map_err(|_| odd())?;
        if id.kind() != hash {
            return Err(format!("it names its objects by {}, this clone by {hash}", id.kind()));
        }
        match name {
            b"HEAD" => head = Some(id),
            name if name.ends_with(b"^{}") => {}
            name if name.starts_with(b"refs/tags/") => {
                refs.tags.push(Ref { name: name.to_vec(), id });
            }
            name if name.starts_with(b"refs/heads/") => {
                refs.branches.push(Ref { name: name.to_vec(), id });
            }
            _ => {}
        }
    }
    refs.default = head.map(|commit| RemoteHead { name: branch, commit });
    Ok(refs)
}

fn short(full_name: &[u8]) -> Option<String> {
    Some(String::from_utf8_lossy(full_name.strip_prefix(b"refs/heads/")?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "ref: refs/heads/develop\tHEAD
1111111111111111111111111111111111111111\tHEAD
1111111111111111111111111111111111111111\trefs/heads/develop
2222222222222222222222222222222222222222\trefs/heads/main
3333333333333333333333333333333333333333\trefs/pull/1/head
ref: refs/remotes/x/main\trefs/remotes/origin/HEAD
4444444444444444444444444444444444444444\trefs/tags/components/prompts/a/v1.0.0
2222222222222222222222222222222222222222\trefs/tags/components/prompts/a/v1.0.0^{}
";

    #[test]
    fn read_parses_branches_tags_and_the_default_branch() {
        let refs = read(LISTING.as_bytes(), gix_hash::Kind::Sha1).unwrap();
        let default = refs.default.unwrap();
        assert_eq!(default.name.as_deref(), Some("develop"));
        assert_eq!(default.commit.to_string(), "1".repeat(40));
        assert_eq!(refs.branches.len(), 2);
        let tags: Vec<_> =
            refs.tags.iter().map(|tag| (&tag.name[..], tag.id.to_string())).collect();
        assert_eq!(tags, [(&b"refs/tags/components/prompts/a/v1.0.0"[..], "4".repeat(40))]);
        assert_eq!(read(b"", gix_hash::Kind::Sha1), Ok(RemoteRefs::default()));
        let detached = read(format!("{}\tHEAD\n", "5".repeat(40)).as_bytes(), gix_hash::Kind::Sha1);
        assert_eq!(detached.unwrap().default.unwrap().name, None);
    }

    #[test]
    fn read_rejects_malformed_lines_and_other_hashes() {
        for (text, said) in [("hello", "hello"), ("xyz\trefs/tags/a", "xyz")] {
            assert!(read(text.as_bytes(), gix_hash::Kind::Sha1).unwrap_err().contains(said));
        }
        let other = read(LISTING.as_bytes(), gix_hash::Kind::Sha256).unwrap_err();
        assert!(other.contains("sha1") && other.contains("sha256"), "{other}");
    }
}
