//! Any dump with pages, made another kind of: the same pages, no better a verdict.

use std::ops::ControlFlow;

use format::write::{DumpPages, Error, Kind, Plan, write};
use format::{Level, Verdict, verify};

use super::write_read::read;
use crate::folded::unfold;

/// Files are not written that would be longer.
const LONGEST: u64 = 4 << 20;

/// A folded file.
pub fn target(data: &[u8]) {
    let file = unfold(data);
    let before = verify(&file, Level::Structure);
    let good = before.verdict == Verdict::Good;
    let Ok(source) = DumpPages::open(&file) else { return };
    for kind in [Kind::Full, Kind::Bitmap, Kind::KernelBitmap] {
        let plan = source.request(kind).and_then(|request| Plan::new(&source, request));
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                let told = matches!(
                    error,
                    Error::Machine(_)
                        | Error::TooManyRuns { .. }
                        | Error::Order { .. }
                        | Error::TooLarge
                );
                assert!(told || !good, "good, and not to be converted: {error}");
                continue;
            }
        };
        if plan.file_length() > LONGEST {
            continue;
        }
        let mut out = Vec::new();
        let done = write(&plan, &source, &mut out, &mut |_| ControlFlow::Continue(()));
        if let Err(error) = done {
            assert!(!good, "good, and it cannot be written: {error}");
            continue;
        }
        let after = verify(&out, Level::Structure);
        assert!(!good || after.verdict == Verdict::Good, "{}", after.summary);
        if good {
            assert!(read(&out) == read(&file), "a conversion changes pages");
        }
    }
}
