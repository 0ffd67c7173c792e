//! Reads the reply of a remote to a push.

use notice::{Notice, printable};

use git::write::Ran;

/// A ref that was not pushed, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rejected {
    name: String,
    why: String,
}

/// The reply of a remote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PushReply {
    rejected: Vec<Rejected>,
    /// The full names of the refs that the remote took.
    taken: Vec<String>,
    /// The messages of the remote's hooks, or the errors.
    messages: Vec<String>,
}

impl PushReply {
    /// Reads the output of `git push --porcelain`: `!`, a tab, `from:to`, a tab, and
    /// `[remote rejected] (pre-receive hook declined)`.
    pub(super) fn read(ran: &Ran) -> Self {
        let stdout = String::from_utf8_lossy(&ran.stdout);
        let rejected = stdout.lines().filter_map(rejected).collect();
        let taken = stdout.lines().filter_map(taken).collect();
        let stderr = String::from_utf8_lossy(&ran.stderr);
        let messages = stderr.lines().filter_map(message).collect();
        Self { rejected, taken, messages }
    }

    /// Tells if the remote took a ref.
    pub(super) fn took(&self, full_name: &str) -> bool {
        self.taken.iter().any(|name| name == full_name)
    }

    /// Returns the refusals with what to do. Refs that failed only because of others are left out.
    pub(super) fn refusals(&self, remote: &str) -> Vec<Notice> {
        let own = |rejected: &&Rejected| !rejected.why.contains("atomic push failed");
        let mut notices: Vec<Notice> = self
            .rejected
            .iter()
            .filter(own)
            .map(|Rejected { name, why }| self.notice(remote, name, why))
            .collect();
        if notices.is_empty() {
            notices.push(Notice {
                subject: printable(remote.as_bytes()),
                what: format!("the push failed: {}", self.messages.join(" ")),
                help: None,
            });
        }
        notices
    }

    fn notice(&self, remote: &str, name: &str, why: &str) -> Notice {
        let remote = printable(remote.as_bytes());
        let subject = name.strip_prefix("refs/tags/").or_else(|| name.strip_prefix("refs/heads/"));
        let subject = subject.unwrap_or(name).to_owned();
        let (what, help) = match why {
            why if self.raced(why) => (
                format!("changed on {remote} during the push: {why}"),
                "run the command again to see what changed".to_owned(),
            ),
            why if why.contains("fetch first") || why.contains("non-fast-forward") => (
                format!("{remote} has commits that are not here: {why}"),
                "integrate them first: git pull --rebase".to_owned(),
            ),
            why => (
                format!("{remote} rejected it: {why}{}", self.words()),
                "it is protected there: ask its owner to change it or to give you access"
                    .to_owned(),
            ),
        };
        Notice { subject, what, help: Some(help) }
    }

    /// Tells if the ref changed between the listing and the push.
    fn raced(&self, why: &str) -> bool {
        let moved = |text: &str| text.contains("cannot lock ref") && text.contains("but expected");
        let early = ["stale info", "already exists"].iter().any(|text| why.contains(text));
        // With and without `--atomic`.
        let failed = ["transaction failed", "failed to update ref"];
        let failed = failed.iter().any(|text| why.contains(text));
        early || moved(why) || (failed && moved(&self.words()))
    }

    /// Returns the message of the remote's hook, which names the rule.
    fn words(&self) -> String {
        let messages = self.messages.iter().filter_map(|line| line.strip_prefix("remote: "));
        let messages: Vec<&str> = messages.map(str::trim).filter(|line| !line.is_empty()).collect();
        match messages.is_empty() {
            true => String::new(),
            false => format!(": {}", messages.join(" ")),
        }
    }
}

fn rejected(line: &str) -> Option<Rejected> {
    let mut columns = line.strip_prefix("!\t")?.splitn(2, '\t');
    let (_, name) = columns.next()?.split_once(':')?;
    let why = columns.next()?;
    let why = why.split_once(" (").map_or(why, |(_, why)| why.trim_end_matches(')'));
    Some(Rejected { name: printable(name.as_bytes()), why: printable(why.as_bytes()) })
}

/// Returns the ref of a line of `git push --porcelain` about a successful push: `*` new, `+`
/// forced, `-` deleted, a space for a fast-forward, `=` for one that was up to date.
fn taken(line: &str) -> Option<String> {
    let (flag, rest) = line.split_once('\t')?;
    let (refs, _) = rest.split_once('\t')?;
    let (_, name) = refs.split_once(':')?;
    ["*", "+", "-", " ", "="].contains(&flag).then(|| name.to_owned())
}

fn message(line: &str) -> Option<String> {
    let line = printable(line.trim().as_bytes());
    let noise = line.is_empty() || line.starts_with("To ") || line.starts_with("hint:");
    (!noise).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals(stdout: &str, stderr: &str) -> Vec<Notice> {
        let ran = Ran { ok: false, stdout: stdout.into(), stderr: stderr.into() };
        PushReply::read(&ran).refusals("origin")
    }

    #[test]
    fn refusals_explain_why_the_remote_refused() {
        let slot = "!\tabc:refs/tags/components/p/a/production\t";
        let other = "!\tabc:refs/tags/components/p/a/v1.0.0\t[rejected] (atomic push failed)\nDone";
        for (why, messages, what) in [
            ("[rejected] (stale info)", "", "during the push"),
            ("[rejected] (already exists)", "", "during the push"),
            (
                "[remote rejected] (atomic transaction failed)",
                "remote: error: cannot lock ref 'x': is at 1 but expected 2",
                "during the push",
            ),
            (
                "[remote rejected] (failed to update ref)",
                "remote: error: cannot lock ref 'x': is at 1 but expected 2",
                "during the push",
            ),
            (
                "[remote rejected] (pre-receive hook declined)",
                "remote: only CI\nerror: x",
                "hook declined: only CI",
            ),
        ] {
            let notices = refusals(&format!("To x\n{slot}{why}\n{other}"), messages);
            assert_eq!(notices.len(), 1, "{notices:?}");
            assert_eq!(notices[0].subject, "components/p/a/production");
            assert!(notices[0].what.contains(what), "{notices:?}");
        }
        let branch = refusals("!\trefs/heads/main:refs/heads/main\t[rejected] (fetch first)\n", "");
        assert!(branch[0].help.as_deref().unwrap().contains("pull --rebase"));
        let failed = refusals("", "fatal: the remote end hung up\n");
        assert!(failed[0].what.contains("hung up"));
    }
}
