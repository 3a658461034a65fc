//! What can be taken now, and what was found.

use capture::{Doctor, Finding, Level, MachineSummary};

use super::{Record, Table, size};

/// `livedump doctor`.
pub(crate) fn text(doctor: &Doctor) -> String {
    let mut record = Record::default();
    record.simulated(doctor.simulated.as_deref());
    record.line("machine", machine(&doctor.machine));
    let mut kinds = Table::new(&["DUMP", "POSSIBLE", "WHY"]);
    for kind in &doctor.kinds {
        let possible =
            kind.possible.map_or("perhaps", |possible| if possible { "yes" } else { "no" });
        kinds.row([kind.kind.clone(), possible.into(), kind.why.clone()]);
    }
    record.text(&kinds.into_text());
    record.text("\n");
    let mut findings = Table::new(&["FINDING", "LEVEL", "VALUE", "MEANING"]);
    for finding in &doctor.findings {
        findings.row([
            finding.name.clone(),
            level(finding.level).into(),
            finding.value.clone(),
            meaning(finding),
        ]);
    }
    record.text(&findings.into_text());
    record.into_text()
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Blocking => "blocking",
    }
}

fn meaning(finding: &Finding) -> String {
    match &finding.remedy {
        Some(remedy) => format!("{}; what to do: {remedy}", finding.text),
        None => finding.text.clone(),
    }
}

/// `HOST, Windows 11 24H2 (10.0.26100.2314), x64, 4 processors, 64.0 MiB`
pub(crate) fn machine(machine: &MachineSummary) -> String {
    let parts = [
        machine.computer.clone(),
        machine.windows.clone(),
        machine.architecture.clone(),
        machine.processors.map(|count| format!("{count} processors")),
        machine.memory.map(|memory| format!("{} memory", size(memory))),
    ];
    let known: Vec<String> = parts.into_iter().flatten().collect();
    if known.is_empty() { "unknown".to_owned() } else { known.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_told_in_one_line_as_far_as_it_is_known() {
        let summary = MachineSummary {
            computer: Some("PC".into()),
            processors: Some(4),
            memory: Some(64 << 20),
            ..MachineSummary::default()
        };
        assert_eq!(machine(&summary), "PC, 4 processors, 64.0 MiB memory");
        assert_eq!(machine(&MachineSummary::default()), "unknown");
    }
}
