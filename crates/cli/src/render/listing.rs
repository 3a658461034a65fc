//! Processes and threads.

use capture::{ProcessList, ThreadList, WaitUnit};

use super::{Record, Table, size};

/// `livedump ps`.
pub(crate) fn processes(list: &ProcessList) -> String {
    let mut record = Record::default();
    record.simulated(list.simulated.as_deref());
    let heading =
        ["PID", "PARENT", "SESSION", "THREADS", "WORKING SET", "CREATED", "PROTECTION", "NAME"];
    let mut table = Table::new(&heading).right(&[0, 1, 2, 3, 4]);
    for process in &list.processes {
        table.row([
            process.pid.to_string(),
            process.parent.to_string(),
            process.session.to_string(),
            process.threads.to_string(),
            size(process.working_set),
            or_dash(process.created.as_deref()),
            or_dash(process.protection.as_deref()),
            process.name.clone(),
        ]);
    }
    record.text(&table.into_text());
    record.into_text()
}

/// `livedump threads`.
pub(crate) fn threads(list: &ThreadList) -> String {
    let mut record = Record::default();
    record.simulated(list.simulated.as_deref());
    record.line(
        "process",
        format!("{} ({}), {} threads", list.process, list.pid, list.threads.len()),
    );
    record.line("wait times", wait_unit(list.wait_unit));
    let heading = [
        "TID",
        "STATE",
        "WAIT REASON",
        "WAIT",
        "KERNEL",
        "USER",
        "PRIORITY",
        "START",
        "CREATED",
        "NAME",
    ];
    let mut table = Table::new(&heading).right(&[0, 3, 4, 5, 6]);
    for thread in &list.threads {
        table.row([
            thread.tid.to_string(),
            thread.state.clone(),
            or_dash(thread.wait_reason.as_deref()),
            or_dash(thread.wait_ms.map(time).as_deref()),
            time(thread.kernel_ms),
            time(thread.user_ms),
            thread.priority.to_string(),
            or_dash(thread.start_address.as_deref()),
            or_dash(thread.created.as_deref()),
            or_dash(thread.name.as_deref()),
        ]);
    }
    record.text(&table.into_text());
    record.into_text()
}

pub(super) fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("-").to_owned()
}

/// Seconds with three digits.
fn time(milliseconds: u64) -> String {
    format!("{}.{:03} s", milliseconds / 1000, milliseconds % 1000)
}

/// How wait times were read.
fn wait_unit(unit: WaitUnit) -> &'static str {
    match unit {
        WaitUnit::TickStamp => {
            "this system serves the tick at which a wait began (found out with a thread of our own)"
        }
        WaitUnit::Ticks => "this system serves waits in ticks (found out with a thread of our own)",
        WaitUnit::Milliseconds => {
            "this system serves waits in milliseconds (found out with a thread of our own)"
        }
        WaitUnit::Unknown => {
            "not told: a thread of our own did not show what the system's numbers mean"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capture::{ProcessEntry, ThreadEntry};

    #[test]
    fn a_process_is_one_line_with_its_pid_first_and_its_name_last() {
        let process = ProcessEntry {
            pid: 640,
            name: "evil\nname.exe".into(),
            parent: 4,
            session: 0,
            threads: 12,
            created: None,
            working_set: 5 << 20,
            protection: Some("PPL-WinTcb".into()),
        };
        let list = ProcessList {
            schema: String::new(),
            simulated: Some("healthy".into()),
            processes: vec![process],
        };
        let text = processes(&list);
        let line = text.lines().nth(2).unwrap();
        assert!(line.starts_with("640  "), "{line}");
        assert!(line.ends_with("5.0 MiB  -        PPL-WinTcb  evil\\u{a}name.exe"), "{line}");
        assert!(text.starts_with("simulated   healthy"), "{text}");
    }

    #[test]
    fn a_thread_is_one_line_with_its_tid_first_and_a_dash_for_what_is_not_known() {
        let thread = ThreadEntry {
            tid: 77,
            name: None,
            state: "Waiting".into(),
            wait_reason: Some("Executive".into()),
            wait_ms: Some(61_005),
            kernel_ms: 3,
            user_ms: 0,
            start_address: Some("00007ff612340000".into()),
            created: None,
            priority: 8,
        };
        let list = ThreadList {
            schema: String::new(),
            simulated: None,
            pid: 4,
            process: "a.exe".into(),
            wait_unit: WaitUnit::TickStamp,
            threads: vec![thread],
        };
        let text = threads(&list);
        let words: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "77 Waiting Executive 61.005 s 0.003 s 0.000 s 8 00007ff612340000 - -"
        );
    }
}
