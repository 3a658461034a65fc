//! The processes of the machine, and finding the one that is meant.

use machine::{OsErrorKind, Process, Protection};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Class, Failure, ProcessTarget, World};

/// The result of `livedump ps`. Any field may be absent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ProcessList {
    /// "livedump.ps/1".
    pub schema: String,
    /// The scenario, when the machine is a simulated one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<String>,
    /// In the system's order.
    pub processes: Vec<ProcessEntry>,
}

/// One process.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ProcessEntry {
    /// Process id.
    pub pid: u32,
    /// Image name.
    pub name: String,
    /// Parent's process id.
    pub parent: u32,
    /// Session.
    pub session: u32,
    /// Number of threads.
    pub threads: u32,
    /// Created, ISO 8601 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Working set, bytes.
    pub working_set: u64,
    /// Protection level, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protection: Option<String>,
}

/// All processes of the machine.
pub fn processes(world: &World) -> Result<ProcessList, Failure> {
    let processes = list(world)?;
    let entry = |p: Process| ProcessEntry {
        protection: world
            .machine
            .protection(p.pid)
            .ok()
            .flatten()
            .filter(|p| p.is_protected())
            .map(protection_text),
        pid: p.pid,
        name: p.name,
        parent: p.parent,
        session: p.session,
        threads: p.threads,
        created: crate::time::filetime(p.created),
        working_set: p.working_set,
    };
    Ok(ProcessList {
        schema: "livedump.ps/1".into(),
        simulated: crate::session::simulated(world),
        processes: processes.into_iter().map(entry).collect(),
    })
}

/// "PsProtectedSignerAntimalware-Light" as people say it.
pub(crate) fn protection_text(protection: Protection) -> String {
    nt::protection::PsProtection(protection.0).to_string()
}

fn list(world: &World) -> Result<Vec<Process>, Failure> {
    world.machine.processes().map_err(|e| {
        Failure::new(Class::Internal, format!("the list of processes could not be read: {e}"))
            .remedy("run elevated; if it happens again, report it with the error above")
    })
}

/// The one process that is meant.
pub(crate) fn find(world: &World, target: &ProcessTarget) -> Result<Process, Failure> {
    let all = list(world)?;
    match target {
        ProcessTarget::Pid(0) => Err(Failure::new(
            Class::NotFound,
            "PID 0 is the idle process: it has no threads whose stacks could be taken",
        )
        .remedy("`livedump ps` lists the processes")),
        ProcessTarget::Pid(pid) => all.into_iter().find(|p| p.pid == *pid).ok_or_else(|| {
            Failure::new(Class::NotFound, format!("there is no process with PID {pid}"))
                .remedy("`livedump ps` lists the processes")
        }),
        ProcessTarget::Name(name) => by_name(all, name),
    }
}

fn by_name(all: Vec<Process>, name: &str) -> Result<Process, Failure> {
    let wanted = strip_exe(name);
    let mut found: Vec<Process> =
        all.into_iter().filter(|p| strip_exe(&p.name).eq_ignore_ascii_case(wanted)).collect();
    if found.len() > 1 {
        let details =
            found.iter().map(|p| format!("{} {} ({} threads)", p.pid, p.name, p.threads)).collect();
        return Err(Failure::new(
            Class::NotFound,
            format!("{} processes are named {name}", found.len()),
        )
        .details(details)
        .remedy("name one of them with -p PID"));
    }
    found.pop().ok_or_else(|| {
        Failure::new(Class::NotFound, format!("there is no process named {name}"))
            .remedy("`livedump ps` lists the processes")
    })
}

fn strip_exe(name: &str) -> &str {
    match name.len().checked_sub(4).and_then(|at| name.split_at_checked(at)) {
        Some((stem, ext)) if ext.eq_ignore_ascii_case(".exe") && !stem.is_empty() => stem,
        _ => name,
    }
}

/// Refuses a protected process before any of its threads is opened.
pub(crate) fn check_protection(world: &World, process: &Process) -> Result<(), Failure> {
    match world.machine.protection(process.pid) {
        Ok(Some(level)) if level.is_protected() => Err(protected(process, &protection_text(level))),
        // System answers no such question everywhere, and nothing of it can be opened.
        Ok(_) if process.pid == 4 => Err(protected(process, "system process")),
        Ok(_) => Ok(()),
        Err(e) if matches!(e.kind, OsErrorKind::NotFound | OsErrorKind::Gone) => Err(gone(process)),
        Err(_) if process.pid == 4 => Err(protected(process, "system process")),
        // Not being able to ask proves nothing: opening the threads will tell.
        Err(_) => Ok(()),
    }
}

fn protected(process: &Process, level: &str) -> Failure {
    Failure::new(
        Class::Policy,
        format!("{} ({}) is protected ({level}): Windows does not let its threads be opened for a dump", process.name, process.pid),
    )
    .remedy("`livedump kernel --stacks-only FILE` takes the kernel stacks of all threads, its own included (reported to need Windows 11 22H2)")
}

pub(crate) fn gone(process: &Process) -> Failure {
    Failure::new(Class::NotFound, format!("{} ({}) has ended", process.name, process.pid))
        .remedy("nothing was written; `livedump ps` lists the processes that are there")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, name: &str) -> Process {
        Process {
            pid,
            parent: 4,
            name: name.into(),
            session: 0,
            threads: 3,
            created: 0,
            working_set: 0,
        }
    }

    #[test]
    fn a_name_is_found_in_any_case_and_without_its_extension() {
        let all = vec![process(10, "Notepad.exe"), process(11, "explorer.exe")];
        assert_eq!(by_name(all.clone(), "NOTEPAD").unwrap().pid, 10);
        assert_eq!(by_name(all, "Explorer.EXE").unwrap().pid, 11);
    }

    #[test]
    fn several_of_one_name_are_listed_and_none_is_taken() {
        let all = vec![process(10, "svchost.exe"), process(11, "svchost.exe")];
        let failure = by_name(all, "svchost").unwrap_err();
        assert_eq!(failure.class, Class::NotFound);
        assert_eq!(failure.details, ["10 svchost.exe (3 threads)", "11 svchost.exe (3 threads)"]);
    }

    #[test]
    fn a_name_of_multi_byte_letters_is_no_trouble() {
        assert_eq!(strip_exe("é.exe"), "é");
        assert_eq!(strip_exe("日本"), "日本");
        assert_eq!(strip_exe(".exe"), ".exe");
    }
}
