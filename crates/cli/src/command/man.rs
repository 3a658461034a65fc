//! `livedump man`.

use capture::{Class, Failure};
use clap_mangen::Man;

use super::{Outcome, Said};
use crate::args;

pub(super) fn run(command: Option<&str>) -> Outcome {
    let mut definition = args::definition();
    definition.build();
    let page = match command {
        None => definition,
        Some(name) => {
            let found = definition.find_subcommand(name.to_ascii_lowercase().as_str()).cloned();
            found.ok_or_else(|| {
                args::usage(
                    "man",
                    format!("no command is called '{name}': livedump --help lists them"),
                )
            })?
        }
    };
    let mut roff = Vec::new();
    let source = concat!("livedump ", env!("CARGO_PKG_VERSION"));
    Man::new(page).source(source).render(&mut roff).map_err(|error| {
        Failure::new(Class::Internal, format!("the manual page could not be made: {error}"))
    })?;
    Ok(Said::text(roff))
}
