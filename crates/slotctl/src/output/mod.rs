//! Writes to the user: data to stdout, messages to stderr, progress to a terminal.
#![allow(clippy::print_stderr, reason = "the one place that writes to the terminal")]

pub(crate) mod bar;
mod envelope;
pub(crate) mod leftover;

use std::cell::Cell;
use std::fmt::{self, Display};
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use console::{Style, Term, style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use notice::{Notice, printable};
use serde::Serialize;

use self::envelope::Envelope;
pub(crate) use self::envelope::{ErrorCode, ReportedError};
use self::leftover::Leftover;
use crate::exit::Exit;
use crate::hint::TypedOptions;
use kv_api::ApiError;
use notice::Refused;

/// The outputs of a command: messages, data and progress.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// The command as it is typed; `None` if the command line names none.
    command: Option<String>,
    bars: MultiProgress,
    terminal: bool,
    leftover: Arc<Mutex<Option<Leftover>>>,
    typed: Arc<TypedOptions>,
}

impl Output {
    /// Creates the output of a command for the present stderr: a terminal gets progress bars and,
    /// unless `NO_COLOR` forbids them (<https://no-color.org>), colours; anything else gets plain
    /// lines.
    pub(crate) fn new(command: Option<String>) -> Self {
        let terminal = Term::stderr().features().is_attended();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        console::set_colors_enabled_stderr(terminal && !no_color);
        console::set_colors_enabled(Term::stdout().features().is_attended() && !no_color);
        let target = match terminal {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bars = MultiProgress::with_draw_target(target);
        Self { command, bars, terminal, leftover: Arc::default(), typed: Arc::default() }
    }

    /// Adds the options of the command line to the commands in hints.
    pub(crate) fn completing(self, typed: TypedOptions) -> Self {
        Self { typed: Arc::new(typed), ..self }
    }

    /// Returns a text whose commands have the options of the command line that name a repository
    /// or Workers KV. Hints need no call of it.
    pub(crate) fn completed(&self, text: &str) -> String {
        self.typed.complete(text)
    }

    /// Notes the state that an interruption would leave from now on; `None` means nothing is left.
    pub(crate) fn note_leftover(&self, leftover: Option<Leftover>) {
        // Ctrl-C is reported by another output, which may have other options.
        let leftover = leftover.map(|Leftover { what, hints }| Leftover {
            what,
            hints: hints.iter().map(|hint| self.completed(hint)).collect(),
        });
        *self.leftover.lock().unwrap_or_else(PoisonError::into_inner) = leftover;
    }

    /// Prints the state that an interruption leaves.
    pub(crate) fn interrupted(&self) {
        let leftover = self.leftover.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(Leftover { what, hints }) = leftover else { return };
        self.say(format_args!("interrupted: {what}"));
        hints.iter().for_each(|hint| self.completed_hint(hint));
    }

    /// Writes a line to stderr.
    pub(crate) fn say(&self, line: impl Display) {
        // Bars are hidden while a line is written.
        self.bars.suspend(|| eprintln!("{line}"));
    }

    /// Prints the result of a step, and how long it took.
    pub(crate) fn step(&self, name: &str, text: impl Display, since: Instant) {
        self.step_took(name, text, since.elapsed());
    }

    /// Prints the result of a step that was not continuous, with its own duration.
    pub(crate) fn step_took(&self, name: &str, text: impl Display, span: Duration) {
        let took = style(took(span)).for_stderr().dim();
        self.say(format_args!("{} {text} {took}", style(format!("{name:<6}")).for_stderr().bold()));
    }

    /// Prints a warning.
    pub(crate) fn warning(&self, notice: &Notice) {
        self.notice("warning", &Style::new().yellow(), notice);
    }

    /// Prints a refusal: something that can't be done.
    pub(crate) fn refusal(&self, notice: &Notice) {
        self.notice("refused", &Style::new().red(), notice);
    }

    /// Prints a finding: something that is wrong.
    pub(crate) fn finding(&self, notice: &Notice) {
        self.notice("wrong", &Style::new().red(), notice);
    }

    fn notice(&self, kind: &str, style: &Style, Notice { subject, what, help }: &Notice) {
        let kind = style.clone().for_stderr().bold().apply_to(kind);
        self.say(format_args!("{kind}: {subject}: {what}"));
        if let Some(help) = help {
            self.hint(help);
        }
    }

    /// Prints a hint: the command to run next.
    pub(crate) fn hint(&self, text: impl Display) {
        self.completed_hint(&self.completed(&text.to_string()));
    }

    fn completed_hint(&self, text: &str) {
        self.say(format_args!("   {}: {text}", style("hint").for_stderr().cyan()));
    }

    /// Prints the error that stopped the command, with its causes, and what to do if that is known.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        if let Some(Refused(notice)) = error.downcast_ref() {
            return self.refusal(notice);
        }
        let title = style("error").for_stderr().red().bold();
        let text = format!("{error:#}");
        let lines: Vec<String> = text.lines().map(|line| printable(line.as_bytes())).collect();
        self.say(format_args!("{title}: {}", lines.join("\n    ")));
        let hint = error.downcast_ref::<ApiError>().and_then(ApiError::hint);
        if let Some(hint) = hint {
            self.hint(hint);
        }
    }

    /// Writes the result of a command as one JSON object to stdout. `members` are those that only
    /// this command has.
    pub(crate) fn data(&self, exit: Exit, members: &impl Serialize) -> Result<()> {
        self.json(exit, None, members)
    }

    /// Writes the error that stopped a command as one JSON object to stdout.
    pub(crate) fn failed(&self, exit: Exit, error: &ReportedError) -> Result<()> {
        self.failed_after(exit, error, &serde_json::Map::new())
    }

    /// Writes the error that stopped a command, and what it did before.
    pub(crate) fn failed_after(
        &self,
        exit: Exit,
        error: &ReportedError,
        members: &impl Serialize,
    ) -> Result<()> {
        let help = error.help.as_deref().map(|help| self.completed(help));
        self.json(exit, Some(&ReportedError { help, ..error.clone() }), members)
    }

    fn json(
        &self,
        exit: Exit,
        error: Option<&ReportedError>,
        members: &impl Serialize,
    ) -> Result<()> {
        let mut members = serde_json::to_value(members).context("cannot write the JSON")?;
        self.typed.complete_members(&mut members);
        let envelope = Envelope::new(self.command.as_deref(), exit, error, &members);
        let mut text = serde_json::to_vec_pretty(&envelope).context("cannot write the JSON")?;
        text.push(b'\n');
        let written = std::io::stdout().lock().write_all(&text);
        written.context("cannot write to stdout")
    }

    /// Writes data as lines of text to stdout.
    pub(crate) fn print(&self, text: &str) -> Result<()> {
        let written = std::io::stdout().lock().write_all(text.as_bytes());
        written.context("cannot write to stdout")
    }

    /// Asks for a yes or a no; returns yes if no person is at a terminal.
    pub(crate) fn confirm(&self, question: &str) -> std::io::Result<bool> {
        let stdin = std::io::stdin();
        if !self.terminal || !stdin.is_terminal() {
            return Ok(true);
        }
        self.bars.suspend(|| eprint!("{question} [y/N] "));
        let mut answer = String::new();
        stdin.read_line(&mut answer)?;
        Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
    }

    /// Shows the progress of something that may take long.
    pub(crate) fn meter(&self, what: &str) -> Meter {
        let bar = match self.terminal {
            true => self.bars.add(ProgressBar::no_length()),
            false => ProgressBar::hidden(),
        };
        bar.set_style(template("{msg} {human_pos} ({rate})"));
        bar.set_message(what.to_owned());
        Meter { output: self.clone(), bar, printed: Cell::new(Instant::now()) }
    }
}

/// Parses a template. A test checks the templates; if one is wrong, the default bar is used.
fn template(text: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(text).unwrap_or(ProgressStyle::default_bar());
    // `per_sec` has four decimals.
    let rate = |state: &ProgressState, to: &mut dyn fmt::Write| {
        // A failure to draw a bar must not stop the command.
        let _ = write!(to, "{:.0}/s", state.per_sec());
    };
    style.with_key("rate", rate)
}

const BAR: &str = "{msg} {bar:32} {human_pos}/{human_len} ({rate}, {eta} left)";

/// Shows progress: a bar on a terminal, else a line every ten seconds. The bar is removed when
/// the meter is dropped.
#[derive(Debug)]
pub(crate) struct Meter {
    output: Output,
    bar: ProgressBar,
    printed: Cell<Instant>,
}

impl Meter {
    /// Sets the total.
    pub(crate) fn begin(&self, total: usize) {
        if self.bar.length() != Some(total as u64) {
            self.bar.set_length(total as u64);
            self.bar.set_style(template(BAR));
        }
    }

    /// Sets the name of the present activity.
    pub(crate) fn rename(&self, what: &'static str) {
        self.bar.set_message(what);
    }

    /// Adds to the number of items that are done.
    pub(crate) fn add(&self, count: usize) {
        self.set(self.bar.position() as usize + count);
    }

    /// Sets the number of items that are done.
    pub(crate) fn set(&self, done: usize) {
        /// Often enough for the reader of a CI job, rare enough for its log.
        const EVERY: Duration = Duration::from_secs(10);
        self.bar.set_position(done as u64);
        if !self.output.terminal && self.printed.get().elapsed() >= EVERY {
            self.printed.set(Instant::now());
            let total = self.bar.length().map_or(String::new(), |total| format!("/{total}"));
            self.output.say(format_args!("       {} {done}{total}", self.bar.message()));
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Formats a duration for people: `(30 ms)`, `(1.5 s)`.
pub(crate) fn took(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.1 => format!("({:.0} ms)", seconds * 1000.0),
        seconds if seconds < 60.0 => format!("({seconds:.1} s)"),
        seconds => format!("({:.0} min {:.0} s)", (seconds / 60.0).floor(), seconds % 60.0),
    }
}

/// Formats a number with its noun: `1 slot`, `2 slots`.
pub(crate) fn count(number: usize, one: &str) -> String {
    let number_shown = indicatif::HumanCount(number as u64);
    if number == 1 { format!("1 {one}") } else { format!("{number_shown} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_counts_have_units() {
        assert_eq!(took(Duration::from_millis(42)), "(42 ms)");
        assert_eq!(took(Duration::from_millis(1234)), "(1.2 s)");
        assert_eq!(took(Duration::from_secs(125)), "(2 min 5 s)");
        assert_eq!(
            (count(1, "slot"), count(12_345, "key")),
            ("1 slot".into(), "12,345 keys".into())
        );
    }

    #[test]
    fn the_progress_bar_template_is_valid() {
        assert!(ProgressStyle::with_template(BAR).is_ok());
        let meter = Output::new(None).meter("tags");
        meter.begin(3);
        meter.rename("files");
        meter.add(2);
        meter.set(3);
        assert_eq!(meter.bar.position(), 3);
    }
}
