//! Shares of the traffic, and the steps in which a share grows.

use std::fmt;
use std::str::FromStr;

/// A share of the traffic in thousandths of a percent, as wrangler rounds it: 0 to 100,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

impl Percent {
    /// None of the traffic.
    pub const NONE: Self = Self(0);
    /// All of it.
    pub const ALL: Self = Self(100_000);

    /// Converts and rounds a number of percent from an API.
    pub fn from_number(number: f64) -> Option<Self> {
        (0.0..=100.0).contains(&number).then(|| Self((number * 1_000.0).round() as u32))
    }

    /// Returns the share of the other version.
    #[must_use]
    pub fn rest(self) -> Self {
        Self(Self::ALL.0 - self.0)
    }

    /// Returns the share as a fraction of 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ALL.0)
    }

    /// Returns the share in percent.
    pub fn number(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

/// The reason why a text is not a share or a list of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PercentError(&'static str);

impl fmt::Display for PercentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for PercentError {}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let error = PercentError("a share is 0 to 100 percent with at most three decimals");
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > 3 {
            return Err(error);
        }
        let number: f64 = text.parse().map_err(|_| error)?;
        Self::from_number(number).ok_or(error)
    }
}

/// The shares of a new version, in growing order. The last is all of the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps(Vec<Percent>);

/// The maximum number of steps that fits into the message of a deployment.
const MOST: usize = 30;

impl Steps {
    /// Returns the first step above `at`, or `None` if `at` is all of the traffic.
    pub fn after(&self, at: Percent) -> Option<Percent> {
        self.0.iter().copied().find(|step| *step > at)
    }

    /// Returns the last step below `at`, or no traffic before the first step.
    pub fn before(&self, at: Percent) -> Percent {
        let less = self.0.iter().copied().take_while(|step| *step < at);
        less.last().unwrap_or(Percent::NONE)
    }

    /// Returns all steps.
    pub fn iter(&self) -> impl Iterator<Item = Percent> {
        self.0.iter().copied()
    }
}

impl Default for Steps {
    /// Returns the default steps: 1 %, 10 %, 50 % and 100 %.
    fn default() -> Self {
        Self([1_000, 10_000, 50_000, 100_000].map(Percent).to_vec())
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(Percent::to_string).collect();
        f.write_str(&texts.join(","))
    }
}

impl FromStr for Steps {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let parts = text.split(',').map(|part| part.trim().parse());
        let mut steps = parts.collect::<Result<Vec<Percent>, _>>()?;
        let grow = steps.first() != Some(&Percent::NONE) && steps.is_sorted_by(|a, b| a < b);
        if !grow {
            return Err(PercentError("the steps grow and begin above 0: 1,10,50,100"));
        }
        if steps.last() != Some(&Percent::ALL) {
            steps.push(Percent::ALL);
        }
        match steps.len() {
            ..=MOST => Ok(Self(steps)),
            _ => Err(PercentError("these are too many steps: 30 at most")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_three_decimals_at_most() {
        for (text, shown) in [
            ("0", "0"),
            ("1", "1"),
            ("0.5", "0.5"),
            ("12.125", "12.125"),
            ("100", "100"),
            ("05", "5"),
        ] {
            let share: Percent = text.parse().unwrap();
            assert_eq!(share.to_string(), shown);
            assert_eq!(Percent::from_number(share.number()), Some(share));
        }
        for text in ["", ".", "1.", ".5", "-1", "101", "100.01", "0.0001", "1e1", "NaN", "+1", "1%"]
        {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
        for number in [-1.0, 100.01, f64::NAN, f64::INFINITY] {
            assert_eq!(Percent::from_number(number), None, "{number}");
        }
        assert_eq!("12.125".parse::<Percent>().unwrap().rest().to_string(), "87.875");
        assert_eq!(Percent::from_number(100.0 / 3.0).unwrap().to_string(), "33.333");
    }

    #[test]
    fn steps_increase_and_end_at_100() {
        for (text, shown) in [
            ("1,10,50,100", "1,10,50,100"),
            ("0.5, 5", "0.5,5,100"),
            ("100", "100"),
            ("25", "25,100"),
        ] {
            assert_eq!(text.parse::<Steps>().unwrap().to_string(), shown);
        }
        for text in ["", "0,10", "10,1", "10,10", "100,200", "a", "1,,2"] {
            assert!(text.parse::<Steps>().is_err(), "{text}");
        }
        let many: Vec<String> = (1..=31).map(|step| step.to_string()).collect();
        assert!(many.join(",").parse::<Steps>().is_err());
        assert_eq!(Steps::default().to_string(), "1,10,50,100");
    }

    #[test]
    fn before_and_after_return_the_neighbouring_steps() {
        let steps = Steps::default();
        for (at, before) in [("0", "0"), ("1", "0"), ("10", "1"), ("11", "10"), ("100", "50")] {
            assert_eq!(steps.before(at.parse().unwrap()).to_string(), before, "{at}");
        }
        for (at, next) in [("0", Some("1")), ("1", Some("10")), ("7", Some("10")), ("100", None)] {
            let found = steps.after(at.parse().unwrap()).map(|step| step.to_string());
            assert_eq!(found.as_deref(), next, "{at}");
        }
    }
}
