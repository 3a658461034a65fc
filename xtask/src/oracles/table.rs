//! The result, as Markdown.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::compare::{Compared, Difference, Row, Subject};
use super::known;

/// Differences shown of each row.
const SHOWN: usize = 5;
/// What is above it in `docs/oracles.md` is written by hand.
const MARK: &str = "## Last result\n";

/// The whole result.
pub(crate) fn render(compared: &Compared, missing: &[String]) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_all(&mut text, compared, missing);
    text
}

/// Replaces the last result in the document.
pub(crate) fn save(path: &Path, result: &str) -> Result<()> {
    let old = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let (by_hand, _) = old.split_once(MARK).context("docs/oracles.md has no last result")?;
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string();
    let text = format!("{by_hand}{MARK}\n{now}, `cargo xtask oracles --save`.\n\n{result}");
    fs::write(path, text).with_context(|| path.display().to_string())
}

fn write_all(text: &mut String, compared: &Compared, missing: &[String]) -> std::fmt::Result {
    writeln!(text, "{}.\n", compared.summary())?;
    writeln!(
        text,
        "| type | written by | judge | files | pages: equal / compared | reads: equal / compared | verdict |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|---|")?;
    for ((kind, writer, judge), row) in &compared.rows {
        writeln!(
            text,
            "| {kind:X} | {writer} | {judge} | {} | {} / {} | {} / {} | {} |",
            row.files,
            row.pages_equal,
            row.pages,
            row.reads_equal,
            row.reads,
            verdict(writer, row)
        )?;
    }
    for judge in missing {
        writeln!(text, "\nMISSING: {judge}")?;
    }
    for row in compared.rows.values() {
        for (file, found) in row.unexplained.iter().take(SHOWN) {
            writeln!(text, "\nUNEXPLAINED, {file}:")?;
            difference(text, found)?;
        }
    }
    writeln!(text, "\n### Errors of judges, with their evidence")?;
    for known in known::ALL {
        let Some((file, found)) = compared.evidence.get(&(known.judge, known.name)) else {
            continue;
        };
        writeln!(text, "\n**{}: {}** ({}). `{file}`:\n", known.judge, known.name, known.why)?;
        difference(text, found)?;
    }
    for known in compared.gone() {
        writeln!(
            text,
            "\n**Not met in any file (no longer wrong?): {}: {}**",
            known.judge, known.name
        )?;
    }
    Ok(())
}

fn verdict(writer: &str, row: &Row) -> String {
    if !row.unexplained.is_empty() {
        let whose = if writer == "serialiser" { "UNEXPLAINED" } else { "WE WRONG" };
        return format!("**{whose}**: {}", row.unexplained.len());
    }
    if row.known.is_empty() {
        return "agrees".to_owned();
    }
    let known = row.known.iter().map(|(name, times)| format!("{name} ({times})"));
    let known = known.collect::<Vec<_>>().join("; ");
    let rest = if row.refused == row.files { "" } else { "agrees, but for: " };
    format!("{rest}{known}")
}

fn difference(text: &mut String, found: &Difference) -> std::fmt::Result {
    let said = |said: &Option<String>| match said {
        // The first and the last bytes are enough for people; the sum behind them is what was compared.
        Some(said) => match found.of {
            Subject::Page | Subject::Read => {
                said.replacen("..", " .. ", 1).replacen(':', ", sha256 ", 1)
            }
            _ => said.clone(),
        },
        None => "nothing".to_owned(),
    };
    let at = match found.of {
        Subject::Page => format!("physical {:016x}", found.address),
        Subject::Read => format!("virtual {:016x}", found.address),
        _ => "file".to_owned(),
    };
    writeln!(text, "    {at}  {}", found.what)?;
    writeln!(text, "    theirs  {}", said(&found.theirs))?;
    if matches!(found.of, Subject::Page | Subject::Read) {
        writeln!(text, "    ours    {}", said(&found.ours))?;
    }
    if found.of != Subject::File {
        writeln!(text, "    truth   {}", said(&found.truth))?;
    }
    Ok(())
}
