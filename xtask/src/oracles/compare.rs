//! Answers against plans.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::judges::OURS;
use super::known::{self, Known};

/// What is asked about a file, and what is right: `examples/oracle/plan.rs`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Plan {
    pub(crate) file: String,
    pub(crate) kind: u32,
    pub(crate) writer: String,
    pub(crate) header: Header,
    pub(crate) length: u64,
    pub(crate) stored: u64,
    pub(crate) counted: BTreeMap<String, u64>,
    pub(crate) unaligned: bool,
    pub(crate) repeats: bool,
    pub(crate) pages: Vec<Asked>,
    pub(crate) reads: Vec<Asked>,
}

/// What readers with a known error see, by the error: `examples/oracle/errors.rs`.
type Traps = BTreeMap<String, Option<String>>;

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Header {
    pub(crate) directory_table_base: u64,
    pub(crate) code: u32,
    pub(crate) parameters: [u64; 4],
    pub(crate) processors: u32,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Asked {
    pub(crate) what: String,
    pub(crate) address: u64,
    pub(crate) holds: Option<String>,
    pub(crate) traps: Traps,
}

/// What a judge says. Absent: it cannot say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) file: String,
    pub(crate) error: Option<String>,
    pub(crate) header: Option<Header>,
    pub(crate) stored: Option<u64>,
    pub(crate) pages: Vec<Option<String>>,
    pub(crate) reads: Vec<Option<String>>,
}

/// Where a judge and the truth part.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub(crate) of: Subject,
    pub(crate) what: String,
    pub(crate) address: u64,
    pub(crate) theirs: Option<String>,
    pub(crate) ours: Option<String>,
    pub(crate) truth: Option<String>,
    /// What readers with a known error see there.
    pub(crate) traps: Traps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The file as a whole: it was not opened.
    File,
    Header,
    /// The count of pages.
    Count,
    Page,
    Read,
}

/// All files of a kind and a writer, as one judge sees them.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) files: usize,
    pub(crate) refused: usize,
    pub(crate) pages: usize,
    pub(crate) pages_equal: usize,
    pub(crate) reads: usize,
    pub(crate) reads_equal: usize,
    /// Known errors by name, with how often.
    pub(crate) known: BTreeMap<&'static str, usize>,
    /// Differences that nothing explains, with their file.
    pub(crate) unexplained: Vec<(String, Difference)>,
}

/// Everything that was compared.
#[derive(Default)]
pub(crate) struct Compared {
    /// By kind, writer and judge.
    pub(crate) rows: BTreeMap<(u32, String, &'static str), Row>,
    /// One piece of evidence for each known error that was met.
    pub(crate) evidence: BTreeMap<(&'static str, &'static str), (String, Difference)>,
    /// Judges that answered.
    pub(crate) judges: Vec<&'static str>,
}

impl Compared {
    /// Differences that nothing explains.
    pub(crate) fn failures(&self) -> usize {
        self.rows.values().map(|row| row.unexplained.len()).sum()
    }

    /// Known errors that no file showed any more.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &'static Known> {
        let met = |known: &Known| self.evidence.contains_key(&(known.judge, known.name));
        let there = |known: &Known| self.judges.contains(&known.judge);
        known::ALL.iter().filter(move |known| there(known) && !met(known))
    }

    /// For one line.
    pub(crate) fn summary(&self) -> String {
        let sum = |of: fn(&Row) -> usize| self.rows.values().map(of).sum::<usize>();
        format!(
            "{} judges, {} pages and {} reads compared, {} differences unexplained",
            self.judges.iter().filter(|judge| **judge != OURS).count(),
            sum(|row| row.pages),
            sum(|row| row.reads),
            self.failures()
        )
    }
}

/// Compares all.
pub(crate) fn all(plans: &[Plan], answers: &[(&'static str, Vec<Answer>)]) -> Result<Compared> {
    let mut compared = Compared::default();
    let (_, ours) = answers.iter().find(|(judge, _)| *judge == OURS).context(OURS)?;
    for (judge, theirs) in answers {
        compared.judges.push(judge);
        if theirs.len() != plans.len() || ours.len() != plans.len() {
            bail!("{judge} answered for {} of {} files", theirs.len(), plans.len());
        }
        for plan in plans {
            let find = |all: &[Answer]| all.iter().find(|a| a.file == plan.file).cloned();
            let theirs = find(theirs).with_context(|| format!("{judge}: {}", plan.file))?;
            let ours = find(ours).unwrap_or_default();
            one(&mut compared, judge, plan, &theirs, &ours);
        }
    }
    Ok(compared)
}

fn one(compared: &mut Compared, judge: &'static str, plan: &Plan, theirs: &Answer, ours: &Answer) {
    let row = compared.rows.entry((plan.kind, plan.writer.clone(), judge)).or_default();
    row.files += 1;
    row.refused += usize::from(theirs.error.is_some());
    let differences = differences(plan, theirs, ours);
    if theirs.error.is_none() {
        let wrong = |of| differences.iter().filter(|found| found.of == of).count();
        let (pages, reads) = (theirs.pages.len(), theirs.reads.len());
        row.pages += pages;
        row.pages_equal += pages - wrong(Subject::Page);
        row.reads += reads;
        row.reads_equal += reads - wrong(Subject::Read);
    }
    for found in differences {
        match known::explain(judge, plan, &found) {
            Some(known) => {
                *row.known.entry(known.name).or_default() += 1;
                let place = (known.judge, known.name);
                compared.evidence.entry(place).or_insert_with(|| (plan.file.clone(), found));
            }
            None => row.unexplained.push((plan.file.clone(), found)),
        }
    }
}

fn differences(plan: &Plan, theirs: &Answer, ours: &Answer) -> Vec<Difference> {
    let whole = |of, what: &str, theirs, truth| Difference {
        of,
        what: what.to_owned(),
        address: 0,
        theirs,
        ours: None,
        truth,
        traps: Traps::new(),
    };
    if let Some(error) = &theirs.error {
        return vec![whole(Subject::File, "opening it", Some(error.clone()), None)];
    }
    let mut found = Vec::new();
    if let Some(header) = theirs.header.as_ref().filter(|header| **header != plan.header) {
        let (theirs, truth) = (format!("{header:x?}"), format!("{:x?}", plan.header));
        found.push(whole(Subject::Header, "header", Some(theirs), Some(truth)));
    }
    if let Some(stored) = theirs.stored.filter(|stored| *stored != plan.stored) {
        let pages = |count: u64| Some(format!("{count} pages"));
        let counted = whole(Subject::Count, "pages stored", pages(stored), pages(plan.stored));
        let by_error = plan.counted.iter().map(|(error, count)| (error.clone(), pages(*count)));
        found.push(Difference { traps: by_error.collect(), ..counted });
    }
    let lists = [
        (Subject::Page, &plan.pages, &theirs.pages, &ours.pages),
        (Subject::Read, &plan.reads, &theirs.reads, &ours.reads),
    ];
    for (of, asked, theirs, ours) in lists {
        for (number, (asked, theirs)) in asked.iter().zip(theirs).enumerate() {
            if *theirs != asked.holds {
                let (what, address) = (asked.what.clone(), asked.address);
                let ours = ours.get(number).cloned().flatten();
                let (theirs, truth) = (theirs.clone(), asked.holds.clone());
                let traps = asked.traps.clone();
                found.push(Difference { of, what, address, theirs, ours, truth, traps });
            }
        }
    }
    found
}
