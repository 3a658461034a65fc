//! The result, as Markdown.

use std::fmt::Write;

use super::compare::{Cell, Compared};
use super::limits;

/// Differences shown of each dump and judge.
const SHOWN: usize = 5;

/// The whole section.
pub(crate) fn render(compared: &Compared, missing: &[String]) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_all(&mut text, compared, missing);
    text
}

fn write_all(text: &mut String, compared: &Compared, missing: &[String]) -> std::fmt::Result {
    writeln!(text, "### What is inside: processes, modules, threads, and all pages\n")?;
    writeln!(text, "{}.\n", compared.summary())?;
    writeln!(
        text,
        "| simulated machine | judge | processes: equal / compared | modules | threads | pages | verdict |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|---|")?;
    for ((_, judge), (machine, cell)) in &compared.cells {
        let lists = cell.lists.map(|lists| lists.map(|(equal, of)| format!("{equal} / {of}")));
        let [processes, modules, threads] = lists.unwrap_or_default();
        let pages = cell.pages.map(|(equal, of)| format!("{equal} / {of}")).unwrap_or_default();
        writeln!(
            text,
            "| {} | {judge} | {processes} | {modules} | {threads} | {pages} | {} |",
            machine.name(),
            verdict(cell)
        )?;
    }
    for judge in missing {
        writeln!(text, "\nMISSING: {judge}")?;
    }
    for ((_, judge), (machine, cell)) in &compared.cells {
        for found in cell.differences.iter().take(SHOWN) {
            writeln!(text, "\nUNEXPLAINED, {}, {judge}:\n\n    {found}", machine.name())?;
        }
    }
    writeln!(text, "\n#### Limits of these judges, in their own words")?;
    for limit in limits::ALL {
        let place = (limit.judge, limit.name);
        if let Some((machine, words)) = compared.evidence.get(&place) {
            writeln!(
                text,
                "\n**{}: {}** ({}). `{}`:\n\n    {words}",
                limit.judge,
                limit.name,
                limit.why,
                machine.name()
            )?;
        } else if compared.judges.contains(&limit.judge) {
            writeln!(
                text,
                "\n**Not met in any dump (no longer so?): {}: {}**",
                limit.judge, limit.name
            )?;
        }
    }
    Ok(())
}

fn verdict(cell: &Cell) -> String {
    if !cell.differences.is_empty() {
        return format!("**UNEXPLAINED**: {}", cell.differences.len());
    }
    match cell.limit {
        Some(limit) if cell.pages.is_some() => format!("pages agree; lists: {}", limit.name),
        Some(limit) => limit.name.to_owned(),
        None => "agrees".to_owned(),
    }
}
