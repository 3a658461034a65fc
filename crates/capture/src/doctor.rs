//! Whether each kind of dump can be taken now, and if not, why and what to do. Changes nothing.

use std::path::Path;

use machine::{Facts, Pages, Presence, PrivilegeState, VolumeFacts, VolumeKind};
use schemars::JsonSchema;
use serde::Serialize;

use crate::preflight::{self, Finding, Level};
use crate::verdict::size;
use crate::{MachineSummary, World, estimate, place, session};

/// The result of `livedump doctor`. Any field may be absent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Doctor {
    /// "livedump.doctor/1".
    pub schema: String,
    /// The scenario, when the machine is a simulated one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<String>,
    /// The machine.
    pub machine: MachineSummary,
    /// Each kind of dump.
    pub kinds: Vec<Readiness>,
    /// Everything that was looked at.
    pub findings: Vec<Finding>,
}

/// Whether one kind of dump can be taken now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Readiness {
    /// "kernel", "kernel --stacks-only", ...
    pub kind: String,
    /// Absent: only trying tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub possible: Option<bool>,
    /// Why not, or what may go wrong.
    pub why: String,
}

/// Looks at everything that bears on a capture to `folder` (the current one when none is given).
pub fn doctor(world: &World, folder: Option<&Path>) -> Doctor {
    let facts = world.machine.facts();
    let volume = place::volume_of(world, folder);
    Doctor {
        schema: "livedump.doctor/1".into(),
        simulated: session::simulated(world),
        machine: session::summary(&facts),
        kinds: kinds(&facts, volume.as_ref()),
        findings: findings(&facts, volume.as_ref()),
    }
}

fn kinds(facts: &Facts, volume: Option<&VolumeFacts>) -> Vec<Readiness> {
    let pages = |change: fn(&mut Pages)| {
        let mut pages = Pages::default();
        change(&mut pages);
        pages
    };
    let kernel = [
        ("kernel", pages(|_| {})),
        ("kernel --stacks-only", pages(|p| p.kernel_stacks_only = true)),
        ("kernel -h (hypervisor pages)", pages(|p| p.hypervisor = true)),
        ("kernel -u (user pages)", pages(|p| p.include_user_space = true)),
    ];
    let mut kinds: Vec<Readiness> = kernel
        .into_iter()
        .map(|(kind, pages)| {
            let mut findings = preflight::kernel(facts, &pages);
            findings.extend(disk(facts, &pages, volume));
            readiness(kind, &findings)
        })
        .collect();
    kinds.push(readiness("triage", &preflight::triage(facts)));
    kinds
}

/// Blocked, in doubt, or ready.
fn readiness(kind: &str, findings: &[Finding]) -> Readiness {
    let worst = findings.iter().map(|f| f.level).max().unwrap_or(Level::Ok);
    let reasons: Vec<&str> =
        findings.iter().filter(|f| f.level == worst).map(|f| f.text.as_str()).collect();
    let (possible, why) = match worst {
        Level::Blocking => (Some(false), reasons.join("; ")),
        Level::Warning => (None, reasons.join("; ")),
        Level::Ok | Level::Info => (Some(true), String::new()),
    };
    Readiness { kind: kind.into(), possible, why }
}

fn disk(facts: &Facts, pages: &Pages, volume: Option<&VolumeFacts>) -> Option<Finding> {
    let bounds = estimate::bounds(&facts.memory, pages)?;
    let volume = volume?;
    let room = volume.free?.min(volume.largest_file.unwrap_or(u64::MAX));
    let text = |verb: &str, need: u64| {
        format!("{} has room for {}, the dump {verb} {}", volume.name, size(room), size(need))
    };
    if room < bounds.lower {
        let text = text("will have at least", bounds.lower);
        return Some(Finding::blocking(
            crate::Class::Disk,
            "disk",
            &size(room),
            &text,
            "free some space or name another volume",
        ));
    }
    (room < bounds.upper).then(|| {
        Finding::new("disk", Level::Warning, size(room), text("may have up to", bounds.upper))
    })
}

/// Everything, what is in order included.
fn findings(facts: &Facts, volume: Option<&VolumeFacts>) -> Vec<Finding> {
    let mut all = in_order(facts);
    all.extend(machine_findings(facts));
    all.extend(memory(facts));
    all.extend(volume_findings(facts, volume));
    all.extend(preflight::processors(facts));
    let unread = facts.unread.iter().map(|(name, why)| {
        Finding::new(name, Level::Info, "unknown", format!("could not be read: {why}"))
    });
    for found in unread.chain(preflight::common(facts)) {
        all.retain(|f| f.name != found.name);
        all.push(found);
    }
    all.sort_by_key(|f| std::cmp::Reverse(f.level));
    all
}

fn in_order(facts: &Facts) -> Vec<Finding> {
    let ok = |name: &str, value: &str, text: &str| Finding::new(name, Level::Ok, value, text);
    let privilege = match facts.debug_privilege {
        Some(PrivilegeState::Enabled) => "enabled",
        Some(PrivilegeState::Disabled) => "held; it is enabled for the capture and put back",
        _ => "unknown",
    };
    let policy = |value: Option<u32>| value.map_or_else(|| "not set".into(), |v| v.to_string());
    vec![
        ok(
            "elevation",
            facts.elevated.map_or("unknown", |_| "yes"),
            "a kernel dump needs an administrator",
        ),
        ok("SeDebugPrivilege", privilege, "the kernel asks for this privilege"),
        ok("container", presence(facts.container), "a container cannot dump its host"),
        ok(
            "FullLiveReportsMax",
            &policy(facts.policy.full_live_reports_max),
            "0 would switch live dumps off",
        ),
        ok(
            "AllowLiveDump",
            &policy(facts.policy.allow_live_dump),
            "0 is reported to forbid live dumps",
        ),
        ok(
            "DumpEncryptionEnabled",
            &policy(facts.policy.dump_encryption_enabled),
            "encrypted dumps cannot be verified below their header",
        ),
    ]
}

fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Yes => "yes",
        Presence::No => "no",
        Presence::Unknown => "unknown",
    }
}

fn machine_findings(facts: &Facts) -> Vec<Finding> {
    let info = |name: &str, value: String, text: &str| Finding::new(name, Level::Info, value, text);
    let summary = session::summary(facts);
    let unknown = || "unknown".to_owned();
    let debugger = facts.debugger.map_or_else(unknown, |d| {
        let enabled = if d.enabled { "enabled" } else { "not enabled" };
        format!("{enabled}, {}", if d.not_present { "none attached" } else { "attached" })
    });
    let throttle =
        |hours: Option<u32>| hours.map_or_else(|| "not set".into(), |h| format!("{h} h"));
    let throttles = format!(
        "system {}, component {}",
        throttle(facts.policy.system_throttle_threshold),
        throttle(facts.policy.component_throttle_threshold)
    );
    vec![
        info(
            "version",
            summary.windows.unwrap_or_else(unknown),
            "the oldest that livedump captures on is Windows 10 1607 / Server 2016",
        ),
        info(
            "architecture",
            summary.architecture.unwrap_or_else(unknown),
            "livedump is to run as the machine's own architecture",
        ),
        info(
            "kernel debugger",
            debugger,
            "older builds are reported to take user pages only with one",
        ),
        info(
            "VBS",
            presence(facts.vbs).into(),
            "the memory of the secure kernel is never in a dump",
        ),
        info(
            "HVCI",
            presence(facts.hvci).into(),
            "hypervisor-enforced code integrity; what it protects is never in a dump",
        ),
        info(
            "cluster",
            presence(facts.cluster_node).into(),
            "a freeze of seconds can cost heartbeats",
        ),
        info(
            "Hyper-V host",
            presence(facts.hyper_v_host).into(),
            "the memory of guests is not in a dump",
        ),
        info("sandbox", presence(facts.sandbox).into(), "a sandbox dumps itself, not its host"),
        info(
            "report throttles",
            throttles,
            "they are of Windows' own reports and are not expected to apply to this call (UNCONFIRMED)",
        ),
        info(
            "processors",
            facts.processors.map_or_else(unknown, |p| p.to_string()),
            "logical processors, all groups",
        ),
    ]
}

fn memory(facts: &Facts) -> Vec<Finding> {
    let value = |v: Option<u64>| v.map_or_else(|| "unknown".into(), size);
    let bounds = estimate::bounds(&facts.memory, &Pages::default());
    let text = bounds.map_or_else(
        || "no estimate: the system tells nothing of its memory".into(),
        |b| {
            format!(
                "a live dump is estimated at {} to {}, and a copy of it must fit",
                size(b.lower),
                size(b.upper)
            )
        },
    );
    let short = bounds.zip(facts.memory.available).is_some_and(|(b, a)| a < b.lower);
    let level = if short { Level::Warning } else { Level::Info };
    vec![
        Finding::new("memory", Level::Info, value(facts.memory.total), "physical memory"),
        Finding::new("available memory", level, value(facts.memory.available), text),
    ]
}

fn volume_findings(facts: &Facts, volume: Option<&VolumeFacts>) -> Vec<Finding> {
    let Some(volume) = volume else {
        return vec![Finding::new(
            "target volume",
            Level::Info,
            "unknown",
            "the target's volume could not be asked",
        )];
    };
    let fs = volume.file_system.as_deref().unwrap_or("unknown file system");
    let value = format!("{} ({fs})", volume.name);
    let mut findings = vec![match volume.kind {
        VolumeKind::Network => Finding::new(
            "target volume",
            Level::Warning,
            value,
            "a network target is not proved to work: prefer a local disk, then copy",
        ),
        _ => Finding::new(
            "target volume",
            Level::Info,
            value,
            "where a dump without a path would go",
        ),
    }];
    if volume.access_lists == Some(false) {
        let text = "the volume keeps no access lists: whoever can open it can read the dump";
        findings.push(Finding::new("access lists", Level::Warning, "no", text));
    }
    let free = volume.free.map_or_else(|| "unknown".into(), size);
    findings.push(
        disk(facts, &Pages::default(), Some(volume))
            .unwrap_or_else(|| Finding::new("disk", Level::Ok, free, "free at the target")),
    );
    findings
}
