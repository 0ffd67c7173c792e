//! Shows a slot's traffic as a bar, readable without colours and on any terminal.

use catalog::record::{FULL_WEIGHT, SlotRecord};
use console::{Color, style};

/// The width of a bar in characters.
const WIDTH: u32 = 20;

/// The characters of the arms, in order: they can be told apart without colours too.
const FILLS: [char; 5] = ['█', '▒', '░', '▓', '·'];

const COLORS: [Color; 5] = [Color::Yellow, Color::Green, Color::Cyan, Color::Magenta, Color::Blue];

/// Returns a bar of all targets; one with a weight above 0 is at least one character wide.
pub(crate) fn bar(record: &SlotRecord) -> String {
    let weights: Vec<u32> = record.targets.iter().map(|target| target.weight).collect();
    let mut bar = String::new();
    for (index, width) in widths(&weights).into_iter().enumerate() {
        let part = fill(index).to_string().repeat(width);
        // A slot that is not split has the calm colour of the second target of a split.
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

/// Returns widths that add up to [`WIDTH`] and follow the weights.
fn widths(weights: &[u32]) -> Vec<usize> {
    let share = |weight: &u32| match weight {
        0 => 0,
        weight => ((weight * WIDTH + FULL_WEIGHT / 2) / FULL_WEIGHT).max(1),
    };
    let mut widths: Vec<u32> = weights.iter().map(share).collect();
    let sum: u32 = widths.iter().sum();
    // The widest part takes the difference that rounding makes.
    if let Some(widest) = widths.iter_mut().max() {
        *widest = (*widest + WIDTH).saturating_sub(sum).max(1);
    }
    widths.into_iter().map(|width| width as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_equal_width_and_show_every_arm_with_weight() {
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
