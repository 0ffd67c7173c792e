//! Asks the remote, or uses the clone's own refs if that is allowed.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use catalog::name::ComponentName;
use catalog::timestamp::Timestamp;
use git::Repository;
use git::address::Remote;
use git::branch::DefaultBranch;
use git::fetch::Fetcher;
use git::network::{Limit, Unanswered};
use git::object_store::ObjectStore;
use git::refs::{Ref, Refs};
use git::remote_refs::{RemoteHead, RemoteRefs};
use notice::{Notice, Refused};
use reconcile::policy::FILE;
use reconcile::tag::ref_folders;

use super::{Origin, Provenance, Source, local_tags};
use crate::args::RepoArgs;
use crate::output::Output;
use crate::remote;

/// The longest silence if a command only shows something.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest silence in an emergency.
const IMPATIENCE: Duration = Duration::from_secs(10);

/// The use that a command makes of the refs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// The command writes, or its exit code promises that KV matches Git.
    Needed,
    /// The command only shows something.
    Wanted,
    /// The command is for an emergency, in which the refs matter little.
    Urgent,
}

/// A repository whose remote was not asked yet.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) args: &'a RepoArgs,
    pub(crate) only: &'a [ComponentName],
    certainty: Certainty,
    pub(crate) repository: Repository,
    remote: Option<Remote>,
}

impl<'a> Asking<'a> {
    /// Opens the repository, and chooses the remote that counts.
    pub(crate) fn open(
        args: &'a RepoArgs,
        only: &'a [ComponentName],
        certainty: Certainty,
    ) -> Result<Self> {
        let repository = Repository::open(&args.repo).with_context(|| unreadable(&args.repo))?;
        let remote = match args.local_refs {
            true => None,
            false => git::address::choose(&repository, args.remote.as_deref())?,
        };
        Ok(Self { args, only, certainty, repository, remote })
    }

    /// Opens the repository for a command that does not use the network.
    pub(crate) fn offline(args: &'a RepoArgs, only: &'a [ComponentName]) -> Result<Self> {
        let repository = Repository::open(&args.repo).with_context(|| unreadable(&args.repo))?;
        Ok(Self { args, only, certainty: Certainty::Wanted, repository, remote: None })
    }

    /// Asks the remote, and uses the clone's own refs if the command does not need the remote's.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the remote does not answer and the command needs its refs.
    pub(crate) fn ask(&self, output: &Output) -> Result<Source> {
        self.ask_meanwhile(output, |_| ())
    }

    /// Does the same, and calls `meanwhile` with the tags of the clone while the remote answers.
    ///
    /// # Errors
    ///
    /// Those of [`Self::ask`].
    pub(crate) fn ask_meanwhile(
        &self,
        output: &Output,
        meanwhile: impl FnOnce(&[Ref]) + Send,
    ) -> Result<Source> {
        let mut source = match &self.remote {
            None => self.local(self.own_origin()?)?,
            Some(remote) => match self.ask_remote(remote, meanwhile)? {
                Ok(source) => source,
                Err(error) if self.certainty != Certainty::Needed => {
                    output.warning(&fallen_back(remote, &error));
                    let fetched = last_fetch(&self.repository.common_dir);
                    self.local(Origin::Unanswered { name: remote.shown(), fetched })?
                }
                Err(error) => return Err(refused(remote, &error).into()),
            },
        };
        source.warnings.extend(passed_over(&self.repository, &self.args.repo));
        Ok(source)
    }

    fn own_origin(&self) -> Result<Origin> {
        let is_alone = git::remote::names(&self.repository)?.is_empty();
        Ok(if is_alone { Origin::Alone } else { Origin::Asked })
    }

    /// Reads the clone's own refs.
    fn local(&self, origin: Origin) -> Result<Source> {
        let mut refs = git::refs::list(&self.repository, &ref_folders(&[]))?;
        let tags = refs.refs.len();
        refs.restrict(&ref_folders(self.only));
        let branch = git::branch::default_branch(&self.repository);
        let provenance = Provenance {
            origin,
            branch: branch.as_ref().map(|branch| {
                branch.name.strip_prefix("origin/").unwrap_or(&branch.name).to_owned()
            }),
            commit: branch.as_ref().map(|branch| branch.commit),
            tags,
        };
        let repository = self.repository.clone();
        Ok(Source {
            repository,
            supply: None,
            refs,
            branch: Ok(branch),
            provenance,
            warnings: Vec::new(),
        })
    }

    /// Asks for the remote's refs, and lists the clone's meanwhile to find tags that are not
    /// pushed.
    fn ask_remote(
        &self,
        remote: &Remote,
        meanwhile: impl FnOnce(&[Ref]) + Send,
    ) -> Result<Result<Source, Unanswered>> {
        let folders = ref_folders(self.only);
        let (answer, own) = thread::scope(|scope| {
            let own = scope.spawn(|| {
                let own = git::refs::list(&self.repository, &folders);
                own.inspect(|own| meanwhile(&own.refs))
            });
            let answer = git::remote_refs::ask(&self.repository, remote, self.limit()?);
            let own =
                own.join().unwrap_or_else(|_| bail!("listing the tags came to an unexpected end"));
            anyhow::Ok((answer, own?.refs))
        })?;
        match answer {
            Ok(answer) => self.remote(remote, answer, &own).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    fn limit(&self) -> Result<Limit> {
        let silence = remote::limit()?.idle;
        let silence = match self.certainty {
            Certainty::Needed => silence,
            Certainty::Wanted => silence.min(PATIENCE),
            Certainty::Urgent => silence.min(IMPATIENCE),
        };
        Ok(Limit::of_silence(silence))
    }

    fn remote(&self, remote: &Remote, answer: RemoteRefs, own: &[Ref]) -> Result<Source> {
        let store = ObjectStore::open(&self.repository.common_dir)?;
        let branch = default_branch(remote, &answer);
        let mut refs = Refs { refs: answer.tags, ..Refs::default() };
        refs.restrict(&ref_folders(&[]));
        let tags = refs.refs.len();
        refs.restrict(&ref_folders(self.only));
        let names = refs.refs.iter().chain(&answer.branches).map(|found| found.name.clone());
        let names = names.filter_map(|name| String::from_utf8(name).ok()).collect();
        let repository = self.repository.with_objects(&store.objects());
        let limit = remote::limit()?;
        let fetcher = Fetcher::new(&self.repository, remote.clone(), names, store, limit);
        let commit = branch.as_ref().ok().and_then(|branch| Some(branch.as_ref()?.commit));
        let name = answer.default.and_then(|default| default.name);
        let mut source = Source {
            repository,
            supply: Some(Arc::new(Mutex::new(fetcher))),
            provenance: Provenance {
                origin: Origin::Remote { name: remote.shown(), url: remote.url.clone() },
                branch: name.or_else(|| only_branch(&answer.branches)),
                commit,
                tags,
            },
            refs,
            branch,
            warnings: Vec::new(),
        };
        source.warnings = local_tags::compare(&source, remote, own)?;
        Ok(source)
    }
}

/// Returns the branch that the remote's HEAD names; the only branch if HEAD names none that exists.
fn default_branch(remote: &Remote, answer: &RemoteRefs) -> Result<Option<DefaultBranch>, String> {
    let named = |name: &str| match remote.shown() == remote.name {
        true => format!("{}/{name}", remote.name),
        false => name.to_owned(),
    };
    match (&answer.default, answer.branches.as_slice()) {
        (Some(RemoteHead { name: Some(name), commit }), _) => {
            Ok(Some(DefaultBranch { name: named(name), commit: *commit }))
        }
        (Some(RemoteHead { name: None, commit }), _) => {
            Ok(Some(DefaultBranch { name: named("HEAD"), commit: *commit }))
        }
        (None, []) => Ok(None),
        (None, [only]) => {
            let name = only_branch(&answer.branches).unwrap_or_default();
            Ok(Some(DefaultBranch { name: named(&name), commit: only.id }))
        }
        (None, several) => Err(format!(
            "{} says of none of its {} branches that it is the default one",
            remote.shown(),
            several.len()
        )),
    }
}

fn only_branch(branches: &[Ref]) -> Option<String> {
    let [only] = branches else { return None };
    let name = only.name.strip_prefix(b"refs/heads/")?;
    Some(String::from_utf8_lossy(name).into_owned())
}

/// Warns of a `rollouts.toml` in the folder of `--repo`, which is not read.
fn passed_over(repository: &Repository, folder: &Path) -> Option<Notice> {
    let prefix = repository.git.run(&["rev-parse", "--show-prefix"]).ok()?;
    let prefix = notice::printable(prefix.trim_ascii());
    (!prefix.is_empty() && folder.join(FILE).is_file()).then(|| Notice {
        subject: format!("{prefix}{FILE}"),
        what: format!("it is not read: the {FILE} at the root of the repository counts"),
        help: Some(format!("move what it says to /{FILE}")),
    })
}

fn unreadable(repo: &Path) -> String {
    format!("cannot read the repository {}", repo.display())
}

fn refused(remote: &Remote, error: &Unanswered) -> Refused {
    let what = format!("it did not answer, so that it is not known what counts now: {error}");
    Refused::new(remote.shown(), what, format!("{}; {LOCAL_REFS}", look(remote)))
}

fn fallen_back(remote: &Remote, error: &Unanswered) -> Notice {
    let what = format!("it did not answer, so that this goes by the refs of this clone: {error}");
    Notice { subject: remote.shown(), what, help: Some(look(remote)) }
}

const LOCAL_REFS: &str = "to go by the refs of this clone, whatever the remote has: --local-refs";

fn look(remote: &Remote) -> String {
    match remote.shown() == remote.name {
        true => format!("check its address: git remote get-url {}", remote.shown()),
        false => format!("look whether it answers: git ls-remote {}", remote.shown()),
    }
}

/// Returns the time at which the clone last fetched, by the times of its files.
fn last_fetch(common_dir: &Path) -> Option<Timestamp> {
    let modified =
        |name| fs::metadata(common_dir.join(name)).and_then(|found| found.modified()).ok();
    let time: SystemTime = modified("FETCH_HEAD").or_else(|| modified("packed-refs"))?;
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    Some(Timestamp::from_unix(i64::try_from(seconds).ok()?))
}

#[cfg(test)]
mod tests {
    use gix_hash::ObjectId;

    use super::*;

    fn branch(name: &str, digit: u8) -> Ref {
        let id = ObjectId::from_hex(&[digit; 40]).unwrap();
        Ref { name: format!("refs/heads/{name}").into_bytes(), id }
    }

    #[test]
    fn the_default_branch_is_the_head_of_the_remote_or_its_only_branch() {
        let remote = Remote { name: "origin".to_owned(), url: "https://e.com/a".to_owned() };
        let find = |default: Option<Option<&str>>, branches: &[Ref]| {
            let commit = ObjectId::from_hex(&[b'1'; 40]).unwrap();
            let default = default.map(|name| RemoteHead { name: name.map(str::to_owned), commit });
            let answer = RemoteRefs { default, branches: branches.to_vec(), tags: Vec::new() };
            default_branch(&remote, &answer).map(|branch| branch.map(|branch| branch.name))
        };
        let (develop, main) = (branch("develop", b'1'), branch("main", b'2'));
        let is = |name: &str| Ok(Some(name.to_owned()));
        let both = [develop.clone(), main];
        assert_eq!(find(Some(Some("develop")), &both), is("origin/develop"));
        assert_eq!(find(Some(None), &both), is("origin/HEAD"));
        assert_eq!(find(None, &[develop]), is("origin/develop"));
        assert_eq!(find(None, &[]), Ok(None));
        assert!(find(None, &both).unwrap_err().contains("none of its 2 branches"));
    }
}
