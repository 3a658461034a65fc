//! What can be known before the call: refused only where it is certain, warned of where it is not.
//!
//! `doctor` shows the same findings, so that what refuses a capture is what a user can look up.

use machine::{Architecture, Facts, OsErrorKind, Pages, Presence, PrivilegeState};
use nt::build::Reported;
use schemars::JsonSchema;
use serde::Serialize;

use crate::session::Session;
use crate::{Class, Failure, Note, World, estimate};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Info,
    /// May go wrong; the kernel decides.
    Warning,
    /// Certain to fail: refused before the call.
    Blocking,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// What: "elevation", "FullLiveReportsMax".
    pub name: String,
    /// How much it weighs.
    pub level: Level,
    /// What was found: "yes", "0", "unknown".
    pub value: String,
    /// What follows from it.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The class of the refusal, when blocking.
    #[serde(skip)]
    pub(crate) class: Option<Class>,
}

impl Finding {
    pub(crate) fn new(
        name: &str,
        level: Level,
        value: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            level,
            value: value.into(),
            text: text.into(),
            remedy: None,
            class: None,
        }
    }

    pub(crate) fn blocking(
        class: Class,
        name: &str,
        value: &str,
        text: &str,
        remedy: &str,
    ) -> Self {
        Self { class: Some(class), ..Self::new(name, Level::Blocking, value, text).remedy(remedy) }
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// Refuses on the first finding that blocks, and tells the warnings.
pub(crate) fn refuse(session: &mut Session, findings: Vec<Finding>) -> Result<(), Failure> {
    session.report.findings =
        findings.iter().filter(|f| f.level >= Level::Warning).cloned().collect();
    if let Some(blocking) = findings.iter().find(|f| f.level == Level::Blocking) {
        let mut failure =
            Failure::new(blocking.class.unwrap_or(Class::Unsupported), blocking.text.clone());
        failure.remedy.clone_from(&blocking.remedy);
        return Err(failure);
    }
    for finding in findings.iter().filter(|f| f.level == Level::Warning) {
        session.note(Note::warning(finding.text.clone()));
    }
    Ok(())
}

/// Enables SeDebugPrivilege for as long as the guard lives, and is sure of it.
pub(crate) fn debug_privilege(world: &World) -> Result<Box<dyn Send + Sync>, Failure> {
    world.machine.enable_debug_privilege().map_err(|e| match e.kind {
        OsErrorKind::PrivilegeNotHeld => no_debug_privilege(),
        _ => Failure::new(Class::Elevation, format!("SeDebugPrivilege could not be enabled: {e}"))
            .remedy("run from an elevated console"),
    })
}

fn no_debug_privilege() -> Failure {
    Failure::new(Class::Elevation, "this account does not hold SeDebugPrivilege (\"Debug programs\")")
        .remedy("run from an elevated console; if it is elevated, a policy has removed \"Debug programs\" from this account")
}

/// What bears on every capture.
pub(crate) fn common(facts: &Facts) -> Vec<Finding> {
    [
        bitness(facts),
        emulation(facts),
        container(facts),
        elevation(facts),
        privilege(facts),
        oldest(facts),
        reports_max(facts),
        allow_live_dump(facts),
        encryption(facts),
        heartbeats(facts),
    ]
    .into_iter()
    .flatten()
    .chain(unread(facts))
    .collect()
}

/// Facts that decide whether the call is answered at all: not knowing one is worth a warning.
const DECISIVE: [&str; 5] =
    ["elevation", "SeDebugPrivilege", "container", "FullLiveReportsMax", "AllowLiveDump"];

fn unread(facts: &Facts) -> impl Iterator<Item = Finding> + '_ {
    let decisive = facts.unread.iter().filter(|(name, _)| DECISIVE.contains(&name.as_str()));
    decisive.map(|(name, why)| {
        let text = format!("{name} could not be read ({why}): the kernel will decide");
        Finding::new(name, Level::Warning, "unknown", text)
    })
}

/// What bears on a live dump of these pages.
pub(crate) fn kernel(facts: &Facts, pages: &Pages) -> Vec<Finding> {
    let mut findings = common(facts);
    findings.extend(ignored_flags(pages));
    findings.extend(
        [user_pages(facts, pages), stacks_only(facts, pages), abort_flag(facts, pages)]
            .into_iter()
            .flatten(),
    );
    findings.extend(memory(facts, pages));
    findings
}

/// What bears on a triage dump.
pub(crate) fn triage(facts: &Facts) -> Vec<Finding> {
    let mut findings = common(facts);
    // The policies are of live dumps; no source says that triage dumps obey them.
    findings.retain(|f| {
        f.name != "FullLiveReportsMax" && f.name != "AllowLiveDump" && f.name != "heartbeats"
    });
    findings.extend(processors(facts));
    findings
}

fn build(facts: &Facts) -> Option<u32> {
    facts.os.as_ref().map(|os| os.build)
}

fn bitness(facts: &Facts) -> Option<Finding> {
    let is_64 = |a: Architecture| matches!(a, Architecture::X64 | Architecture::Arm64);
    match (facts.native, facts.process) {
        (Some(native), Some(Architecture::X86)) if is_64(native) => Some(Finding::blocking(
            Class::Unsupported,
            "bitness",
            "32-bit on 64-bit Windows",
            "this is a 32-bit livedump on 64-bit Windows: the kernel's structures have another shape there",
            "run the 64-bit livedump",
        )),
        _ => None,
    }
}

fn emulation(facts: &Facts) -> Option<Finding> {
    (facts.native == Some(Architecture::Arm64) && facts.process == Some(Architecture::X64)).then(
        || {
            Finding::new(
                "emulation",
                Level::Warning,
                "x64 on ARM64",
                "this x64 livedump runs emulated on ARM64 Windows, which nobody has proved to work",
            )
            .remedy("run the ARM64 livedump")
        },
    )
}

fn container(facts: &Facts) -> Option<Finding> {
    (facts.container == Presence::Yes).then(|| {
        Finding::blocking(
            Class::Unsupported,
            "container",
            "yes",
            "this is a Windows container: a dump is of the whole machine, and belongs to its host",
            "run livedump on the container's host",
        )
    })
}

fn elevation(facts: &Facts) -> Option<Finding> {
    (facts.elevated == Some(false)).then(|| {
        Finding::blocking(
            Class::Elevation,
            "elevation",
            "no",
            "livedump is not elevated: only an administrator can take a kernel dump",
            "start the console with \"Run as administrator\"",
        )
    })
}

fn privilege(facts: &Facts) -> Option<Finding> {
    (facts.debug_privilege == Some(PrivilegeState::NotHeld)).then(|| {
        let failure = no_debug_privilege();
        Finding::blocking(
            failure.class,
            "SeDebugPrivilege",
            "not held",
            &failure.message,
            failure.remedy.as_deref().unwrap_or_default(),
        )
    })
}

fn oldest(facts: &Facts) -> Option<Finding> {
    build(facts).filter(|b| *b < nt::build::OLDEST_SUPPORTED).map(|b| {
        Finding::new(
            "version",
            Level::Warning,
            b.to_string(),
            "this Windows is older than 10 1607 / Server 2016, the oldest that livedump supports",
        )
    })
}

fn reports_max(facts: &Facts) -> Option<Finding> {
    (facts.policy.full_live_reports_max == Some(0)).then(|| {
        Finding::new(
            "FullLiveReportsMax",
            Level::Warning,
            "0",
            "FullLiveReportsMax is 0 under CrashControl\\FullLiveKernelReports, which switches full live reports off and is reported to block this call too",
        )
        .remedy("set it to 1 or remove it")
    })
}

fn allow_live_dump(facts: &Facts) -> Option<Finding> {
    (facts.policy.allow_live_dump == Some(0)).then(|| {
        Finding::new(
            "AllowLiveDump",
            Level::Warning,
            "0",
            "AllowLiveDump is 0 under Control\\LiveDump, which is reported to forbid live dumps",
        )
        .remedy("ask whoever set it; remove the value to allow live dumps")
    })
}

fn encryption(facts: &Facts) -> Option<Finding> {
    facts.policy.dump_encryption_enabled.filter(|v| *v != 0).map(|v| {
        Finding::new(
            "DumpEncryptionEnabled",
            Level::Warning,
            v.to_string(),
            "this machine encrypts its dumps: live dumps are reported to be encrypted too, and cannot be verified below their header (exit 8)",
        )
        .remedy("open the dump where the private key is")
    })
}

fn heartbeats(facts: &Facts) -> Option<Finding> {
    let what = match (facts.cluster_node, facts.hyper_v_host) {
        (Presence::Yes, _) => "a cluster node",
        (_, Presence::Yes) => "a Hyper-V host",
        _ => return None,
    };
    Some(
        Finding::new(
            "heartbeats",
            Level::Warning,
            what,
            format!("this is {what}: a live dump can freeze it for seconds, which can cost heartbeats"),
        )
        .remedy("drain the node first, or take `kernel --stacks-only`, which is reported to be much faster"),
    )
}

fn ignored_flags(pages: &Pages) -> Vec<Finding> {
    let ignored = |set: bool, name: &str, flag: &str| {
        set.then(|| {
            Finding::new(
                name,
                Level::Warning,
                "set",
                format!("{flag} is passed on, but Windows is reported to ignore it"),
            )
        })
    };
    [
        ignored(
            pages.compress_memory_pages_data,
            "CompressMemoryPagesData",
            "-c (compress memory pages)",
        ),
        ignored(
            pages.use_dump_storage_stack,
            "UseDumpStorageStack",
            "-d (use the dump storage stack)",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn user_pages(facts: &Facts, pages: &Pages) -> Option<Finding> {
    if !pages.include_user_space {
        return None;
    }
    let by_build =
        facts.os.as_ref().is_some_and(|os| !nt::build::takes_user_pages(os.build, os.revision));
    let has_debugger = facts.debugger.is_some_and(|d| d.enabled);
    let this_build = if by_build && !has_debugger { ": this build may refuse them" } else { "" };
    let text = format!(
        "user pages: those of protected processes are reported to be left out by design, and builds before Windows 11 22H2 of July 2023 to refuse them without a kernel debugger{this_build}"
    );
    Some(Finding::new("user pages", Level::Warning, "asked for", text))
}

fn stacks_only(facts: &Facts, pages: &Pages) -> Option<Finding> {
    (pages.kernel_stacks_only
        && build(facts).is_some_and(|b| nt::build::selective_live_dump(b) == Reported::No))
    .then(|| {
        Finding::new(
            "stacks only",
            Level::Warning,
            "asked for",
            "kernel stacks only is reported to need Windows 11: this build may refuse it",
        )
    })
}

fn abort_flag(facts: &Facts, pages: &Pages) -> Option<Finding> {
    (pages.abort_if_memory_pressure && build(facts).is_some_and(|b| !nt::build::has_abort_on_memory_pressure(b))).then(|| {
        Finding::new(
            "abort on memory pressure",
            Level::Warning,
            "asked for",
            "--abort-on-memory-pressure is reported to work from Windows 10 1803 on: this build may ignore it",
        )
    })
}

fn memory(facts: &Facts, pages: &Pages) -> Option<Finding> {
    let bounds = estimate::bounds(&facts.memory, pages)?;
    let available = facts.memory.available?;
    (available < bounds.lower).then(|| {
        Finding::new(
            "memory",
            Level::Warning,
            crate::verdict::size(available),
            format!(
                "{} of memory is available, the copy needs at least {}: the dump will probably be partial",
                crate::verdict::size(available),
                crate::verdict::size(bounds.lower)
            ),
        )
        .remedy("close programs, or ask for fewer pages")
    })
}

/// Above this many processors triage dumps are known to come out incomplete.
const MANY_PROCESSORS: u32 = 20;

pub(crate) fn processors(facts: &Facts) -> Option<Finding> {
    facts.processors.filter(|p| *p >= MANY_PROCESSORS).map(|p| {
        Finding::new(
            "processors",
            Level::Warning,
            p.to_string(),
            format!("this machine has {p} logical processors: from about {MANY_PROCESSORS} on, triage dumps are known to come out incomplete, as processor blocks crowd out the stacks"),
        )
        .remedy("`livedump kernel --stacks-only FILE` has no such limit (Windows 11); or take fewer threads with -t")
    })
}
