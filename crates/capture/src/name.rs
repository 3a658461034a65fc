//! The name of a dump: templates, default names, `.partial` and batch names.

use std::path::Path;

/// What a template may name.
#[derive(Debug, Clone, Default)]
pub(crate) struct NameParts {
    pub(crate) host: String,
    pub(crate) kind: String,
    pub(crate) process: Option<String>,
    pub(crate) pid: Option<u32>,
    pub(crate) time: String,
}

/// The largest `{seq}` that is tried.
const MAX_SEQ: u32 = 9999;

impl NameParts {
    /// The name that is made when none is given.
    pub(crate) fn default_name(&self) -> String {
        let mut parts = vec![safe(&self.host), self.kind.clone()];
        if let Some(process) = &self.process {
            parts.push(safe(process.strip_suffix(".exe").unwrap_or(process)));
        }
        if let Some(pid) = self.pid {
            parts.push(pid.to_string());
        }
        parts.push(self.time.clone());
        format!("{}.dmp", parts.join("-"))
    }

    /// Fills a template; `{seq}` becomes the smallest number whose name `is_free`.
    pub(crate) fn fill(
        &self,
        template: &str,
        is_free: impl Fn(&str) -> bool,
    ) -> Result<String, String> {
        let filled = self.fill_all_but_seq(template)?;
        if !filled.contains("{seq}") {
            return Ok(filled);
        }
        (1..=MAX_SEQ)
            .map(|n| filled.replace("{seq}", &n.to_string()))
            .find(|name| is_free(name))
            .ok_or_else(|| format!("{{seq}} ran out: {MAX_SEQ} files of that name exist"))
    }

    fn fill_all_but_seq(&self, template: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            out.push_str(&rest[..open]);
            let after = &rest[open + 1..];
            let close = after.find('}').ok_or("the file name has a `{` without a `}`")?;
            out.push_str(&self.value(&after[..close])?);
            rest = &after[close + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&self, key: &str) -> Result<String, String> {
        let of_a_process = |v: Option<String>| {
            v.ok_or_else(|| format!("{{{key}}} has no meaning in a {} dump", self.kind))
        };
        match key {
            "host" => Ok(safe(&self.host)),
            "kind" => Ok(self.kind.clone()),
            "process" => of_a_process(
                self.process.as_deref().map(|p| safe(p.strip_suffix(".exe").unwrap_or(p))),
            ),
            "pid" => of_a_process(self.pid.map(|p| p.to_string())),
            "time" => Ok(self.time.clone()),
            "seq" => Ok("{seq}".into()),
            other => Err(format!(
                "the file name has {{{other}}}; what can be filled in is {{host}} {{kind}} {{process}} {{pid}} {{time}} {{seq}}"
            )),
        }
    }
}

/// Letters, digits and a few marks; the rest becomes `_`, so that a process cannot name a path.
fn safe(text: &str) -> String {
    let safe: String = text
        .chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' })
        .collect();
    safe.trim_matches('.').to_owned()
}

/// The name of batch `number` (from 1): `NAME.dmp`, `NAME.2.dmp`, ...
pub(crate) fn batch(name: &str, number: usize) -> String {
    if number <= 1 {
        return name.to_owned();
    }
    match split(name) {
        (stem, Some(ext)) => format!("{stem}.{number}.{ext}"),
        (stem, None) => format!("{stem}.{number}"),
    }
}

/// `NAME.json`, the description of a batch set.
pub(crate) fn set(name: &str) -> String {
    format!("{}.json", split(name).0)
}

fn split(name: &str) -> (&str, Option<&str>) {
    let path = Path::new(name);
    match (path.file_stem().and_then(|s| s.to_str()), path.extension().and_then(|e| e.to_str())) {
        (Some(stem), Some(ext)) => (stem, Some(ext)),
        _ => (name, None),
    }
}

/// `NAME.partial`, or `NAME.N.partial` when older ones are in the way.
pub(crate) fn partial(name: &str, older: u32) -> String {
    if older == 0 { format!("{name}.partial") } else { format!("{name}.{}.partial", older + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> NameParts {
        NameParts {
            host: "PC-1".into(),
            kind: "triage".into(),
            process: Some("stuck app.exe".into()),
            pid: Some(44),
            time: "20261122-231504".into(),
        }
    }

    #[test]
    fn a_default_name_says_where_what_and_when() {
        assert_eq!(parts().default_name(), "PC-1-triage-stuck_app-44-20261122-231504.dmp");
    }

    #[test]
    fn a_template_is_filled_and_an_unknown_key_is_refused_with_the_list() {
        let name = parts().fill("{host}_{kind}_{process}_{pid}_{time}.dmp", |_| true).unwrap();
        assert_eq!(name, "PC-1_triage_stuck_app_44_20261122-231504.dmp");
        assert!(parts().fill("{user}.dmp", |_| true).unwrap_err().contains("{seq}"));
        assert!(parts().fill("a{host", |_| true).is_err());
    }

    #[test]
    fn seq_is_the_first_number_that_is_free() {
        assert_eq!(parts().fill("d{seq}.dmp", |n| n != "d1.dmp").unwrap(), "d2.dmp");
        assert!(parts().fill("d{seq}.dmp", |_| false).is_err());
    }

    #[test]
    fn a_process_has_no_place_in_the_name_of_a_kernel_dump() {
        let parts = NameParts { process: None, pid: None, kind: "kernel".into(), ..parts() };
        assert!(parts.fill("{pid}.dmp", |_| true).is_err());
    }

    #[test]
    fn a_process_name_cannot_lead_out_of_the_folder() {
        assert_eq!(safe("..\\..\\x"), "_.._x");
        assert_eq!(safe("a/b:c"), "a_b_c");
    }

    #[test]
    fn batches_and_their_description_are_named_after_the_dump() {
        assert_eq!(batch("x.dmp", 1), "x.dmp");
        assert_eq!(batch("x.dmp", 2), "x.2.dmp");
        assert_eq!(batch("x", 3), "x.3");
        assert_eq!(set("x.dmp"), "x.json");
        assert_eq!(partial("x.dmp", 0), "x.dmp.partial");
        assert_eq!(partial("x.dmp", 1), "x.dmp.2.partial");
    }
}
