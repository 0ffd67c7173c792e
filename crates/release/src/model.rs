//! Versions and deployments of a Worker in Cloudflare's API, parsed from the output of
//! `wrangler … --json`.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::Deserialize;

use crate::percent::Percent;

/// The id of a version or a deployment: a UUID in lower case. It is used in command lines and
/// headers, so no other text is allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Id(String);

impl Id {
    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first characters of the id, for people.
    pub fn short(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The error of a text that is not a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdError;

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id such as dc8dcd28-271b-4367-9840-6c244f84cb40")
    }
}

impl std::error::Error for IdError {}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let right = |(at, b)| if matches!(at, 8 | 13 | 18 | 23) { b == b'-' } else { hex(b) };
        match text.len() == 36 && text.bytes().enumerate().all(right) {
            true => Ok(Self(text.to_owned())),
            false => Err(IdError),
        }
    }
}

impl TryFrom<String> for Id {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

/// A deployment: the versions that get the traffic.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "DeploymentRow")]
pub struct Deployment {
    /// Its id.
    pub id: Id,
    /// The time of its creation.
    pub created: SystemTime,
    /// Its author; may be empty.
    pub author: String,
    /// Its message; may be empty.
    pub message: String,
    /// The versions with their shares.
    pub versions: Vec<(Id, Percent)>,
}

#[derive(Deserialize)]
struct DeploymentRow {
    id: Id,
    created_on: String,
    #[serde(default)]
    author_email: Option<String>,
    #[serde(default)]
    annotations: Option<Annotations>,
    versions: Vec<ShareRow>,
}

#[derive(Deserialize)]
struct ShareRow {
    version_id: Id,
    percentage: f64,
}

#[derive(Default, Deserialize)]
struct Annotations {
    #[serde(default, rename = "workers/message")]
    message: Option<String>,
    #[serde(default, rename = "workers/tag")]
    tag: Option<String>,
}

impl TryFrom<DeploymentRow> for Deployment {
    type Error = String;

    fn try_from(row: DeploymentRow) -> Result<Self, String> {
        let share = |ShareRow { version_id, percentage }: ShareRow| {
            let share = Percent::from_number(percentage);
            Ok((version_id, share.ok_or(format!("{percentage} is not a share in percent"))?))
        };
        let versions = row.versions.into_iter().map(share).collect::<Result<Vec<_>, String>>()?;
        let sum: f64 = versions.iter().map(|(_, share)| share.number()).sum();
        if (sum - 100.0).abs() > 0.01 {
            return Err(format!("the shares of its versions add up to {sum} %"));
        }
        Ok(Self {
            id: row.id,
            created: moment(&row.created_on)?,
            author: row.author_email.unwrap_or_default(),
            message: row.annotations.and_then(|all| all.message).unwrap_or_default(),
            versions,
        })
    }
}

/// An upload of the Worker.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "VersionRow")]
pub struct WorkerVersion {
    /// Its id.
    pub id: Id,
    /// The number of the upload, which grows with every upload.
    pub number: u64,
    /// The time of the upload.
    pub created: SystemTime,
    /// Its tag; may be empty.
    pub tag: String,
}

#[derive(Deserialize)]
struct VersionRow {
    id: Id,
    number: u64,
    metadata: VersionMetadataRow,
    #[serde(default)]
    annotations: Option<Annotations>,
}

#[derive(Deserialize)]
struct VersionMetadataRow {
    created_on: String,
}

impl TryFrom<VersionRow> for WorkerVersion {
    type Error = String;

    fn try_from(row: VersionRow) -> Result<Self, String> {
        let created = moment(&row.metadata.created_on)?;
        let tag = row.annotations.and_then(|all| all.tag).unwrap_or_default();
        Ok(Self { id: row.id, number: row.number, created, tag })
    }
}

fn moment(text: &str) -> Result<SystemTime, String> {
    humantime::parse_rfc3339(text).map_err(|_| format!("{text:?} is not a time in RFC 3339 format"))
}

/// An entry of wrangler's output file for programs.
#[derive(Debug, Deserialize)]
struct OutputEntry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    version_id: Option<Id>,
    #[serde(default)]
    deployment_id: Option<Id>,
}

/// Returns the version of the last upload in the file (one JSON object per line).
pub fn uploaded(file: &str) -> Option<Id> {
    entries(file, "version-upload").filter_map(|entry| entry.version_id).last()
}

/// Returns the last deployment in the file.
pub fn deployed(file: &str) -> Option<Id> {
    entries(file, "version-deploy").filter_map(|entry| entry.deployment_id).last()
}

fn entries<'a>(file: &'a str, kind: &'a str) -> impl Iterator<Item = OutputEntry> + use<'a> {
    let entries = file.lines().filter_map(|line| serde_json::from_str::<OutputEntry>(line).ok());
    entries.filter(move |entry| entry.kind == kind)
}

/// Parses the JSON in the output of a command and ignores the text before it.
///
/// # Errors
///
/// If there is no JSON, or it has an unexpected form.
pub fn json<T: serde::de::DeserializeOwned>(printed: &str) -> Result<T, String> {
    let begins = |line: &str| line.starts_with('{') || line.starts_with('[');
    let mut lines = printed.split_inclusive('\n');
    let before: usize = lines.by_ref().take_while(|line| !begins(line)).map(str::len).sum();
    let text = printed.get(before..).unwrap_or_default();
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "dc8dcd28-271b-4367-9840-6c244f84cb40";
    const OLD: &str = "db7cd8d3-4425-4fe7-8c81-01bf963b6067";

    fn deployment(versions: &str, more: &str) -> Result<Deployment, String> {
        json(&format!(
            r#"{{"id":"{OLD}","created_on":"2026-11-21T10:00:00.123456Z","source":"wrangler","strategy":"percentage","versions":{versions}{more}}}"#
        ))
    }

    #[test]
    fn deployments_are_read_from_the_output_of_wrangler() {
        let versions = format!(
            r#"[{{"version_id":"{NEW}","percentage":0.5}},{{"version_id":"{OLD}","percentage":99.5}}]"#
        );
        let more = r#","author_email":"ada@example.com","annotations":{"workers/message":"hello","workers/triggered_by":"deployment"}"#;
        let found = deployment(&versions, more).unwrap();
        assert_eq!(found.versions[0], (NEW.parse().unwrap(), "0.5".parse().unwrap()));
        assert_eq!((&*found.author, &*found.message), ("ada@example.com", "hello"));
        assert_eq!(deployment(&versions, "").unwrap().message, "");
        assert_eq!(deployment(&versions, r#","annotations":null"#).unwrap().message, "");
    }

    #[test]
    fn invalid_deployments_are_refused() {
        for versions in [
            "[]",
            r#"[{"version_id":"../x","percentage":100}]"#,
            r#"[{"version_id":"DC8DCD28-271B-4367-9840-6C244F84CB40","percentage":100}]"#,
            r#"[{"version_id":"dc8dcd28-271b-4367-9840-6c244f84cb40","percentage":99}]"#,
            r#"[{"version_id":"dc8dcd28-271b-4367-9840-6c244f84cb40","percentage":101}]"#,
            r#"[{"version_id":"dc8dcd28-271b-4367-9840-6c244f84cb40","percentage":null}]"#,
            "{}",
        ] {
            assert!(deployment(versions, "").is_err(), "{versions}");
        }
        for printed in ["", "wrangler 4\n", "[1", "{}", "null"] {
            assert!(json::<Deployment>(printed).is_err(), "{printed}");
        }
    }

    #[test]
    fn json_ignores_a_banner() {
        let printed = format!(
            "\n ⛅️ wrangler 4.155.0\n──────\n[\n{{\"id\":\"{NEW}\",\"number\":7,\"metadata\":{{\"created_on\":\"2026-11-21T10:00:00Z\"}},\"annotations\":{{\"workers/tag\":\"v1\"}}}}]\n"
        );
        let versions: Vec<WorkerVersion> = json(&printed).unwrap();
        assert_eq!((versions[0].number, &*versions[0].tag), (7, "v1"));
    }

    #[test]
    fn uploads_and_deployments_are_read_from_the_output_file() {
        let file = format!(
            "{{\"type\":\"wrangler-session\",\"version\":1}}\n{{\"type\":\"version-upload\",\"version_id\":null}}\nnoise\n{{\"type\":\"version-upload\",\"version_id\":\"{NEW}\",\"more\":1}}\n"
        );
        assert_eq!(uploaded(&file).unwrap().as_str(), NEW);
        assert_eq!(deployed(&file), None);
        let file = format!(
            "{{\"type\":\"version-deploy\",\"deployment_id\":\"{OLD}\",\"version_traffic\":{{}}}}"
        );
        assert_eq!(deployed(&file).unwrap().as_str(), OLD);
        for file in ["", "{}", r#"{"type":"version-upload","version_id":"x"}"#] {
            assert_eq!(uploaded(file), None, "{file}");
        }
    }
}
