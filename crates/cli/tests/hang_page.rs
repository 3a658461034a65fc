//! `hang --html`: one page that needs nothing else, whatever names a dump has.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use inside::Case;

/// Elements that have no end tag.
const VOID: [&str; 3] = ["meta", "!doctype", "br"];

fn page(case: &Case) -> String {
    case.tell("hang --html page.html");
    std::fs::read_to_string(case.bench.path("page.html")).unwrap()
}

/// Reads a page's tags: each that is opened is closed, in order, and none but
/// what the page is made of occurs. Answers the elements with how often each.
fn elements(page: &str) -> std::collections::BTreeMap<String, usize> {
    let mut open: Vec<String> = Vec::new();
    let mut counts = std::collections::BTreeMap::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("a tag that is closed");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let name: String =
            tag.trim_start_matches('/').split([' ', '/']).next().unwrap().to_lowercase();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "closed out of order");
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "an attribute that is not closed: {tag}");
        *counts.entry(name.clone()).or_default() += 1;
        if !tag.ends_with('/') && !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    counts
}

#[test]
fn the_page_is_whole_needs_nothing_else_and_shows_the_wait_graph() {
    let case = Case::of("deadlock", "a");
    let page = page(&case);
    let found = elements(&page);
    assert_eq!(found.get("script"), None);
    for outside in ["http:", "https:", "src=", "href=", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(found["svg"], 1);
    let hang = case.ask("hang");
    let relations =
        inside::each(&hang["relations"]).filter(|one| one["holder"].is_object()).count();
    // A line for each relation, and the arrow's head.
    assert_eq!(found["path"], relations + 1);
    let stacks = inside::each(&hang["unique_stacks"]).count();
    assert_eq!(found["details"], stacks);
    assert!(page.contains("simulated"));
    for thread in inside::each(&hang["cycles"][0]["threads"]) {
        assert!(page.contains(&format!("tid {}", thread["tid"])), "{thread}");
    }
}

#[test]
fn a_dump_without_waits_has_a_page_without_a_graph() {
    let case = Case::of("healthy", "b");
    let found = elements(&page(&case));
    assert_eq!(found.get("svg"), None);
    assert!(found["details"] > 3);
}

#[test]
fn names_of_a_hostile_dump_are_text_and_nothing_more() {
    let case = Case::of("deadlock", "a");
    let mut bytes = std::fs::read(case.bench.path("x.dmp")).unwrap();
    let mut replaced = 0;
    for (name, hostile) in [
        (b"lsass.exe", b"</svg>\"'\x1b"),
        (b"dwm.exe\0\0", b"<b>&a\n<i>"),
        (b"explorer.", b"<script>\x9b"),
    ] {
        for at in 0..bytes.len() - name.len() {
            if &bytes[at..at + name.len()] == name {
                bytes[at..at + name.len()].copy_from_slice(hostile);
                replaced += 1;
            }
        }
    }
    assert!(replaced >= 3);
    std::fs::write(case.bench.path("x.dmp"), bytes).unwrap();
    let page = page(&case);
    let found = elements(&page);
    for element in ["script", "b", "i"] {
        assert_eq!(found.get(element), None, "{element}");
    }
    assert_eq!(found["svg"], 1);
    assert!(page.contains("&lt;/svg&gt;&quot;"), "the name is still told");
    assert!(!page.contains(['\x1b', '\u{9b}']));
    let text = case.tell("hang");
    assert!(!text.contains(['\x1b', '\u{9b}']), "{text}");
    assert!(!text.contains("\n<i>"), "a name makes no line of its own");
    case.ask("hang");
}

#[test]
fn a_page_is_never_written_over_another_file() {
    let case = Case::of("healthy", "a");
    case.bench.write("page.html", b"older");
    case.bench.run("hang x.dmp --html page.html").exits(5);
    assert_eq!(std::fs::read(case.bench.path("page.html")).unwrap(), b"older");
}
