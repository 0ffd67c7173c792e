//! A slot's traffic as a bar: readable without colours, and on any terminal.

use catalog::record::{FULL_WEIGHT, SlotRecord};
use console::{Color, style};

/// How many characters a bar has.
const WIDTH: u32 = 20;

/// What the arms are drawn with, in order: told apart also where there is no colour.
const FILLS: [char; 5] = ['█', '▒', '░', '▓', '·'];

const COLORS: [Color; 5] = [Color::Yellow, Color::Green, Color::Cyan, Color::Magenta, Color::Blue];

/// A bar of all targets, each at least one character wide if it gets anything.
pub(crate) fn bar(record: &SlotRecord) -> String {
    let weights: Vec<u32> = record.targets.iter().map(|target| target.weight).collect();
    let mut bar = String::new();
    for (index, width) in widths(&weights).into_iter().enumerate() {
        let part = fill(index).to_string().repeat(width);
        // A slot that is not split has the calm colour of what is left of a split.
        let index = if weights.len() == 1 { 1 } else { index };
        bar.push_str(&style(part).fg(color(index)).to_string());
    }
    bar
}

fn fill(index: usize) -> char {
    FILLS.iter().cycle().nth(index).copied().unwrap_or('█')
}

fn color(index: usize) -> Color {
    COLORS.iter().cycle().nth(index).copied().unwrap_or(Color::Green)
}

/// Widths that add up to [`WIDTH`] and follow the weights.
fn widths(weights: &[u32]) -> Vec<usize> {
    let share = |weight: &u32| match weight {
        0 => 0,
        weight => ((weight * WIDTH + FULL_WEIGHT / 2) / FULL_WEIGHT).max(1),
    };
    let mut widths: Vec<u32> = weights.iter().map(share).collect();
    let sum: u32 = widths.iter().sum();
    // What rounding gave or took is the widest's.
    if let Some(widest) = widths.iter_mut().max() {
        *widest = (*widest + WIDTH).saturating_sub(sum).max(1);
    }
    widths.into_iter().map(|width| width as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_of_one_width_and_show_every_arm() {
        for (weights, expected) in [
            (&[100_000][..], &[20][..]),
            (&[10_000, 90_000], &[2, 18]),
            (&[1, 99_999], &[1, 19]),
            (&[0, 100_000], &[0, 20]),
            (&[33_333, 33_333, 33_334], &[7, 7, 6]),
            (&[50_000, 50_000], &[10, 10]),
        ] {
            let found = widths(weights);
            assert_eq!(found.iter().sum::<usize>(), 20, "{weights:?}");
            assert_eq!(found, expected, "{weights:?}");
        }
    }
}
