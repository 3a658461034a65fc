//! `livedump completions`.

use clap_complete::Shell;

use super::{Outcome, Said};
use crate::args;

pub(super) fn run(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::definition(), "livedump", &mut script);
    Ok(Said::text(script))
}
