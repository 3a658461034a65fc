//! `livedump schema`.

use capture::{Class, Doctor, EstimateReport, Event, ProcessList, Report, ThreadList};
use schemars::Schema;

use super::{Outcome, answer};
use crate::args::SchemaOf;
use crate::render::blobs::BlobsOutput;
use crate::render::convert::ConvertReport;
use crate::render::explain::Explained;
use crate::render::info::InfoReport;
use crate::render::inside::hang::HangReport;
use crate::render::inside::lists::{
    ModulesReport, ProcessesReport, ProcessorsReport, ThreadsReport, UnloadedReport,
};
use crate::render::inside::stacks::StacksReport;
use crate::render::json;
use crate::render::read::ReadReport;
use crate::render::scenarios::Scenarios;
use crate::render::translation::TranslateReport;
use crate::render::verification::VerifyReport;

/// Of the running machine, or of a dump.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)] // the published schema is made from it, values are not
enum Either<M, D> {
    Machine(M),
    Dump(D),
}

pub(super) fn run(of: SchemaOf) -> Outcome {
    answer(true, Class::Done, &schema(of), |_| String::new())
}

fn schema(of: SchemaOf) -> Schema {
    match of {
        SchemaOf::Triage => json::schema::<Report>("triage"),
        SchemaOf::Kernel => json::schema::<Report>("kernel"),
        SchemaOf::Ps => json::schema::<Either<ProcessList, ProcessesReport<'_>>>("ps"),
        SchemaOf::Threads => json::schema::<Either<ThreadList, ThreadsReport<'_>>>("threads"),
        SchemaOf::Stacks => json::schema::<StacksReport<'_>>("stacks"),
        SchemaOf::Hang => json::schema::<HangReport>("hang"),
        SchemaOf::Modules => json::schema::<ModulesReport<'_>>("modules"),
        SchemaOf::Unloaded => json::schema::<UnloadedReport>("unloaded"),
        SchemaOf::Processors => json::schema::<ProcessorsReport>("processors"),
        SchemaOf::Verify => json::schema::<VerifyReport>("verify"),
        SchemaOf::Info => json::schema::<InfoReport>("info"),
        SchemaOf::Read => json::schema::<ReadReport>("read"),
        SchemaOf::Translate => json::schema::<TranslateReport>("translate"),
        SchemaOf::Blobs => json::schema::<BlobsOutput>("blobs"),
        SchemaOf::Convert => json::schema::<ConvertReport>("convert"),
        SchemaOf::Doctor => json::schema::<Doctor>("doctor"),
        SchemaOf::Estimate => json::schema::<EstimateReport>("estimate"),
        SchemaOf::Explain => json::schema::<Explained>("explain"),
        SchemaOf::Scenarios => json::schema::<Scenarios>("scenarios"),
        SchemaOf::Progress => json::of_output::<Event>(),
    }
}
