//! The report as one page: readable without script, stacks that fold, the wait
//! graph as SVG in layers.

use std::collections::BTreeMap;
use std::fmt::Write;

use analysis::hang::{Evidence, Relation};
use analysis::{Hang, UniqueStack};

use super::hang::{
    HangReport, behind, busy_sentence, by_stack, crash_name, grade, holder, involved, itself,
    not_provable, ordered, others, queue_sentence, sentence, verdict,
};
use super::{stacks, thread};
use crate::render::clean;

const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}pre{font:12px/1.45 ui-monospace,Consolas,monospace;overflow-x:auto;background:#f5f5f5;\
padding:.6rem}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse}td,th{text-align:\
left;padding:.15rem .8rem .15rem 0;vertical-align:top}.proved{color:#0a6b2d}.consistent{color:#8a5a00}\
svg{max-width:100%;height:auto}summary{cursor:pointer}@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}\
pre{background:#222}.proved{color:#5fd38a}.consistent{color:#e0b050}}";

/// Unique stacks that stand open.
const OPEN: usize = 3;
/// Nodes that the picture shows; beyond, it would be none.
const NODES: usize = 200;

/// The whole page.
pub(crate) fn page(report: &HangReport) -> String {
    let hang = &report.hang;
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>hang: {0}</title><style>{STYLE}</style></head><body>\n<h1>hang: {0}</h1>\n",
        escape(&report.head.path)
    );
    if report.head.simulated {
        page += "<p><strong>simulated: a made-up machine, nothing here is real</strong></p>\n";
    }
    page += &format!("<p><strong>{}</strong></p>\n", escape(&verdict(report)));
    page += &crash(report);
    page += &graph(&hang.relations);
    page += &cycles_and_chains(hang);
    page += &stuck(hang);
    page += &longest(hang);
    page += &by_stacks(hang);
    page += "<h2>What this dump does not tell</h2>\n<ul>\n";
    for one in &hang.not_provable {
        page += &format!("<li>{}</li>\n", escape(&not_provable(one)));
    }
    for what in &hang.unasked {
        page += &format!("<li>not asked: {}</li>\n", escape(what));
    }
    page += "</ul>\n<h2>Stacks</h2>\n";
    let (first, rest) = ordered(report, &involved(hang));
    for (number, group) in first.into_iter().chain(rest).enumerate() {
        page += &stack(group, number < OPEN);
    }
    page + "</body></html>\n"
}

fn cycles_and_chains(hang: &Hang) -> String {
    let mut text = String::new();
    for cycle in &hang.cycles {
        let heading = format!("Cycle of {} threads ({})", cycle.threads.len(), grade(cycle.grade));
        text += &section(&heading, hang, &cycle.relations);
        text += &paragraph("behind it", behind(cycle.blocked.iter()));
    }
    for chain in &hang.chains {
        let count = chain.blocked.len();
        let heading = format!("{}: {count} waiting ({})", holder(&chain.root), grade(chain.grade));
        text += &section(&heading, hang, &chain.path);
        text += &paragraph("itself", itself(chain));
        text += &paragraph("behind it", behind(others(hang, chain)));
    }
    text
}

fn paragraph(name: &str, text: Option<String>) -> String {
    text.map_or(String::new(), |text| format!("<p>{name} {}</p>\n", escape(&text)))
}

/// What a machine stopped with, and where.
fn crash(report: &HangReport) -> String {
    let mut text = String::new();
    if let Some(crash) = &report.crash {
        text += &format!("<h2>Crash: {}</h2>\n<ul>\n", escape(&crash_name(crash)));
        for parameter in &crash.parameters {
            let meaning = parameter.meaning.as_deref().unwrap_or_default();
            text += &format!("<li>{} {}</li>\n", parameter.value, escape(meaning));
        }
        text += "</ul>\n";
    }
    if let Some(context) = report.context.as_ref().filter(|context| context.fault) {
        let frames = stacks::frames_text(&context.frames, &context.end, stacks::Scans::All);
        text += &format!("<h2>Stack of the crash</h2>\n<pre>{}</pre>\n", escape(&frames));
    }
    text
}

/// Processors and queues that do not go on.
fn stuck(hang: &Hang) -> String {
    let mut text = String::new();
    for one in &hang.busy_processors {
        let heading = format!("Processor {}", busy_sentence(one));
        text += &format!("<h2>{}</h2>\n{}", escape(&heading), evidence(&one.evidence));
    }
    for one in &hang.stuck_queues {
        let named: Vec<String> = one.blocked.iter().map(thread).collect();
        text += &format!("<h2>{}</h2>\n", escape(&queue_sentence(one)));
        text += &format!("<p>its threads: {}</p>\n<ul>\n", escape(&named.join(", ")));
        for routine in &one.routines {
            let items = format!("{} times {}", routine.count, routine.routine);
            text += &format!("<li>{}</li>\n", escape(&items));
        }
        text += &format!("</ul>\n{}", evidence(&one.evidence));
    }
    text
}

fn evidence(all: &[Evidence]) -> String {
    let lines: Vec<String> =
        all.iter().map(|one| format!("{}  {}", one.address, escape(&one.what))).collect();
    format!("<pre>{}</pre>\n", lines.join("\n"))
}

fn section(heading: &str, hang: &Hang, relations: &[usize]) -> String {
    let mut text = format!("<h2>{}</h2>\n<ul>\n", escape(heading));
    for relation in relations.iter().filter_map(|number| hang.relations.get(*number)) {
        let class = grade(relation.grade).split(' ').next().unwrap_or_default();
        let _ = write!(text, "<li class=\"{class}\">{}", escape(&sentence(relation)));
        text += &evidence(&relation.evidence);
        text += "</li>\n";
    }
    text + "</ul>\n"
}

fn by_stacks(hang: &Hang) -> String {
    if hang.waits_by_stack.is_empty() {
        return String::new();
    }
    let items =
        hang.waits_by_stack.iter().map(|one| format!("<li>{}</li>\n", escape(&by_stack(one))));
    format!("<h2>Waits that the stacks tell</h2>\n<ul>\n{}</ul>\n", items.collect::<String>())
}

fn longest(hang: &Hang) -> String {
    let mut text =
        "<h2>Waiting longest</h2>\n<table><tr><th>for</th><th>thread</th><th>reason</th></tr>\n"
            .to_owned();
    for one in &hang.longest {
        let waited = one.milliseconds.map_or_else(|| "-".to_owned(), super::time);
        let reason = one.reason.as_deref().unwrap_or("-");
        let named = escape(&thread(&one.thread));
        let _ =
            writeln!(text, "<tr><td>{waited}</td><td>{named}</td><td>{}</td></tr>", escape(reason));
    }
    text + "</table>\n"
}

fn stack(group: &UniqueStack, open: bool) -> String {
    let first = group.frames.iter().find(|frame| !frame.capture).map(stacks::name);
    let named: Vec<String> = group.threads.iter().take(8).map(thread).collect();
    format!(
        "<details{}><summary>{} threads: {} ({})</summary><pre>{}</pre></details>\n",
        if open { " open" } else { "" },
        group.count,
        escape(&first.unwrap_or_default()),
        escape(&named.join(", ")),
        escape(&stacks::frames_text(&group.frames, &group.end, stacks::Scans::All))
    )
}

/// What HTML would take for its own is written as what it is.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\n' => safe.push('\n'),
            other => safe += &clean(&other.to_string()),
        }
    }
    safe
}

/// A node's place in the picture.
struct Picture<'r> {
    names: Vec<String>,
    edges: Vec<(usize, usize, &'r Relation)>,
}

/// Who waits for whom: waiters above, what they wait for below.
fn graph(relations: &[Relation]) -> String {
    let picture = Picture::of(relations);
    if picture.edges.is_empty() {
        return String::new();
    }
    if picture.names.len() > NODES {
        return format!(
            "<p>{} threads and holders: too many for a picture.</p>\n",
            picture.names.len()
        );
    }
    picture.svg()
}

impl<'r> Picture<'r> {
    fn of(relations: &'r [Relation]) -> Self {
        let mut picture = Self { names: Vec::new(), edges: Vec::new() };
        let mut known = BTreeMap::new();
        for relation in relations {
            let Some(end) = &relation.holder else { continue };
            let mut node = |name: String| {
                *known.entry(name.clone()).or_insert_with(|| {
                    picture.names.push(name);
                    picture.names.len() - 1
                })
            };
            let (from, to) = (node(thread(&relation.waiter)), node(holder(end)));
            picture.edges.push((from, to, relation));
        }
        picture
    }

    /// Each node one layer below the lowest of its waiters, cycles cut after as
    /// many rounds as there are nodes.
    fn ranks(&self) -> Vec<usize> {
        let mut ranks = vec![0_usize; self.names.len()];
        let deepest = self.names.len().min(12);
        for _ in 0..deepest {
            for (from, to, _) in &self.edges {
                let below = ranks.get(*from).copied().unwrap_or_default() + 1;
                if let Some(rank) = ranks.get_mut(*to)
                    && *rank < below
                    && below < deepest
                {
                    *rank = below;
                }
            }
        }
        ranks
    }

    fn svg(&self) -> String {
        const WIDTH: usize = 230;
        const HEIGHT: usize = 90;
        let ranks = self.ranks();
        let mut filled: BTreeMap<usize, usize> = BTreeMap::new();
        let places: Vec<(usize, usize)> = ranks
            .iter()
            .map(|rank| {
                let column = filled.entry(*rank).or_default();
                *column += 1;
                ((*column - 1) * WIDTH + 10, rank * HEIGHT + 10)
            })
            .collect();
        let wide = filled.values().max().copied().unwrap_or(1) * WIDTH + 10;
        let high = (filled.keys().max().copied().unwrap_or(0) + 1) * HEIGHT + 10;
        let mut svg = format!(
            "<svg viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" role=\"img\" aria-label=\"who waits for whom\" \
             font-size=\"11\" font-family=\"sans-serif\"><defs><marker id=\"a\" markerWidth=\"8\" markerHeight=\"8\" \
             refX=\"7\" refY=\"4\" orient=\"auto\"><path d=\"M0,0L8,4L0,8z\" fill=\"currentColor\"/></marker></defs>\n"
        );
        for (from, to, relation) in &self.edges {
            let (Some((x1, y1)), Some((x2, y2))) = (places.get(*from), places.get(*to)) else {
                continue;
            };
            let (x1, y1, x2, y2) = (x1 + 105, y1 + 40, x2 + 105, *y2);
            let dashed =
                if grade(relation.grade) == "proved" { "" } else { " stroke-dasharray=\"5 4\"" };
            // An edge upwards closes a cycle: it is led round the side.
            let path = match y2 > y1 {
                true => format!("M{x1},{y1}L{x2},{y2}"),
                false => format!(
                    "M{x1},{y1}C{0},{1} {0},{2} {x2},{y2}",
                    x1.max(x2) + 140,
                    y1 + 30,
                    y2.saturating_sub(25)
                ),
            };
            let _ = writeln!(
                svg,
                "<path d=\"{path}\" fill=\"none\" stroke=\"currentColor\"{dashed} marker-end=\"url(#a)\"><title>{}</title></path>",
                escape(&sentence(relation))
            );
        }
        for (name, (x, y)) in self.names.iter().zip(&places) {
            let short: String = name.chars().take(34).collect();
            let _ = writeln!(
                svg,
                "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"210\" height=\"40\" rx=\"5\" fill=\"none\" \
                 stroke=\"currentColor\"/><text x=\"{}\" y=\"{}\" fill=\"currentColor\">{}</text></g>",
                escape(name),
                x + 8,
                y + 24,
                escape(&short)
            );
        }
        svg + "</svg>\n"
    }
}
