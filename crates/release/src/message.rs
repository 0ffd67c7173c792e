//! The message of a deployment, with everything that is needed to continue the release, so that
//! no state is kept on a machine. Writes and parses the text.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use notice::one_line;

use crate::model::Id;
use crate::percent::{Percent, Steps};

/// The longest message that Cloudflare keeps, in bytes. It cuts off the rest
/// (<https://developers.cloudflare.com/api/>, `workers/message` of a deployment).
const LONGEST: usize = 1_000;

const BEGIN: &str = "slotctl release ";

/// The message of a deployment that `slotctl release` made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeploymentMessage {
    /// `new` has a share of the traffic and the version before it has the rest.
    Step {
        /// The version that is released.
        new: Id,
        /// Its share.
        at: Percent,
        /// The planned shares.
        steps: Steps,
        /// The time for which each share is watched, in whole seconds.
        bake: Duration,
    },
    /// `new` is released.
    Released {
        /// The version.
        new: Id,
    },
    /// The version before `new` has all of the traffic again.
    Back {
        /// The version that was given up.
        new: Id,
        /// The reason, in one line.
        why: String,
    },
}

impl fmt::Display for DeploymentMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { new, at, steps, bake } => {
                write!(f, "{BEGIN}{new} at {at}% of {steps} for {}s", bake.as_secs())
            }
            Self::Released { new } => write!(f, "{BEGIN}{new} done"),
            Self::Back { new, why } => {
                let head = format!("{BEGIN}{new} back: ");
                let why = one_line(why.as_bytes(), LONGEST - head.len());
                write!(f, "{head}{why}")
            }
        }
    }
}

/// The error of a message that slotctl did not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign;

impl FromStr for DeploymentMessage {
    type Err = Foreign;

    fn from_str(text: &str) -> Result<Self, Foreign> {
        let rest = text.strip_prefix(BEGIN).ok_or(Foreign)?;
        let (id, rest) = rest.split_once(' ').ok_or(Foreign)?;
        let new = id.parse().map_err(|_| Foreign)?;
        if let Some(why) = rest.strip_prefix("back: ") {
            return Ok(Self::Back { new, why: one_line(why.as_bytes(), LONGEST) });
        }
        match rest.split(' ').collect::<Vec<_>>().as_slice() {
            ["done"] => Ok(Self::Released { new }),
            ["at", at, "of", steps, "for", bake] => Ok(Self::Step {
                new,
                at: at.strip_suffix('%').and_then(|at| at.parse().ok()).ok_or(Foreign)?,
                steps: steps.parse().map_err(|_| Foreign)?,
                bake: seconds(bake).ok_or(Foreign)?,
            }),
            _ => Err(Foreign),
        }
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let digits = text.strip_suffix('s')?;
    Some(Duration::from_secs(digits.parse::<u32>().ok()?.into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NEW: &str = "dc8dcd28-271b-4367-9840-6c244f84cb40";

    #[test]
    fn messages_have_a_fixed_text() {
        let new: Id = NEW.parse().unwrap();
        let step = DeploymentMessage::Step {
            new: new.clone(),
            at: "0.5".parse().unwrap(),
            steps: "0.5,10".parse().unwrap(),
            bake: Duration::from_mins(5),
        };
        let back =
            DeploymentMessage::Back { new: new.clone(), why: "healthz: 503\nmore".to_owned() };
        for (message, text) in [
            (&step, "at 0.5% of 0.5,10,100 for 300s"),
            (&DeploymentMessage::Released { new }, "done"),
            (&back, "back: healthz: 503"),
        ] {
            assert_eq!(message.to_string(), format!("slotctl release {NEW} {text}"));
        }
        assert_eq!(step.to_string().parse(), Ok(step));
    }

    #[test]
    fn the_longest_message_fits() {
        let new: Id = NEW.parse().unwrap();
        let why = "é".repeat(2_000);
        assert!(DeploymentMessage::Back { new: new.clone(), why }.to_string().len() <= LONGEST);
        let steps: Vec<String> = (1..30).map(|step| format!("{step}.001")).collect();
        let (at, bake) = (Percent::ALL, Duration::from_secs(u32::MAX.into()));
        let step =
            DeploymentMessage::Step { new, at, steps: steps.join(",").parse().unwrap(), bake };
        assert!(step.to_string().len() <= LONGEST);
    }

    #[test]
    fn parse_refuses_messages_of_others_as_foreign() {
        for text in [
            "",
            "Deploy bug fix.",
            "slotctl release",
            "slotctl release x done",
            "slotctl release dc8dcd28-271b-4367-9840-6c244f84cb40",
            "slotctl release dc8dcd28-271b-4367-9840-6c244f84cb40 done ",
            "slotctl release dc8dcd28-271b-4367-9840-6c244f84cb40 at 10% of 1,10 for",
            "slotctl release dc8dcd28-271b-4367-9840-6c244f84cb40 at 10 of 1,10 for 3s",
            "slotctl release dc8dcd28-271b-4367-9840-6c244f84cb40 at 10% of 10,1 for 3s",
            "slotctl release dc8dcd28-271b-4367-9840-6c244f84cb40 at 10% of 1,10 for -3s",
        ] {
            assert_eq!(text.parse::<DeploymentMessage>(), Err(Foreign), "{text}");
        }
    }

    proptest! {
        #[test]
        fn messages_round_trip(at in 0u32..=100_000, bake: u32, shares in prop::collection::btree_set(1u32..=100_000, 1..20)) {
            let shown: Vec<String> = shares.iter().map(|share| format!("{}", f64::from(*share) / 1_000.0)).collect();
            let message = DeploymentMessage::Step {
                new: NEW.parse().unwrap(),
                at: Percent::from_number(f64::from(at) / 1_000.0).unwrap(),
                steps: shown.join(",").parse().unwrap(),
                bake: Duration::from_secs(bake.into()),
            };
            prop_assert_eq!(message.to_string().parse(), Ok(message));
        }

        #[test]
        fn parse_never_panics(text: String) {
            let _ = text.parse::<DeploymentMessage>();
            let _ = format!("slotctl release {NEW} {text}").parse::<DeploymentMessage>();
        }
    }
}
