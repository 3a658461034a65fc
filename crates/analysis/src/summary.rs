//! What a dump's kernel was found to be, and by whose word.

use ntos::debugger_block::Origin;
use ntos::{Images, Kernel, StoreFiles};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Hex;

/// The kernel of a dump, and where what is said of it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// The base of its image.
    pub base: Option<Hex>,
    /// The debugger block: `clear`, `decoded`, or why there is none.
    pub debugger_block: String,
    /// The file that its types came from.
    pub types: Option<TypesSummary>,
    /// Why the profile that was named was not used.
    pub profile_refused: Option<String>,
    /// Who told where the members of structures lie.
    pub layout: Vec<LayoutSource>,
    /// Whether its threads were photographed while they ran the capture's own
    /// call: then state, wait blocks and innermost frames are of that.
    pub threads_in_capture: bool,
    /// Files of modules that were looked for.
    pub files: Vec<FileSummary>,
}

/// A file of types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TypesSummary {
    /// Where it is.
    pub path: String,
    /// Why it was taken: `identity` (GUID and age are those of the image), or
    /// `addresses` (its symbols lie where the dump's header says).
    pub matched: String,
}

/// How many members one source told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LayoutSource {
    /// `pdb`, `profile`, `isf`, `debugger-block` or `probed`.
    pub source: String,
    /// How many members.
    pub members: u64,
}

/// A file that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileSummary {
    /// Its name.
    pub file: String,
    /// Whether it was found.
    pub found: bool,
    /// Where it was looked for, and what came of it.
    pub tried: Vec<String>,
    /// Of these, where more came of it than that it was not there.
    #[serde(skip)]
    pub refused: Vec<String>,
}

/// Tells of a kernel; to be asked last, when all files were looked for.
pub fn summary(kernel: &Kernel<'_>, _: &Images<'_>, files: &StoreFiles) -> Summary {
    let attempts = files.attempts().into_iter();
    Summary {
        base: kernel.modules().kernel().map(|kernel| Hex(kernel.base.0)),
        debugger_block: debugger_block(kernel),
        types: files.types_file().map(|file| TypesSummary {
            path: file.path.display().to_string(),
            matched: crate::kebab(&file.matched),
        }),
        profile_refused: files.refused().map(str::to_owned),
        layout: layout(kernel),
        threads_in_capture: kernel.is_of_threads_in_capture(),
        files: attempts
            .map(|attempt| FileSummary {
                refused: attempt
                    .tried
                    .iter()
                    .filter(|one| one.says_more())
                    .map(ToString::to_string)
                    .collect(),
                file: attempt.file,
                found: attempt.found,
                tried: attempt.tried.iter().map(ToString::to_string).collect(),
            })
            .collect(),
    }
}

/// `clear`, `decoded`, or why there is none.
pub(crate) fn debugger_block(kernel: &Kernel<'_>) -> String {
    match (kernel.block(), kernel.no_block()) {
        (Some(block), _) => match block.origin() {
            Origin::Decoded { .. } => "decoded".to_owned(),
            _ => "clear".to_owned(),
        },
        (None, Some(why)) => why.to_string(),
        (None, None) => String::new(),
    }
}

/// Who told how many members.
pub(crate) fn layout(kernel: &Kernel<'_>) -> Vec<LayoutSource> {
    let told = kernel.sources().into_iter();
    told.map(|(source, members)| LayoutSource {
        source: crate::kebab(&source),
        members: members as u64,
    })
    .collect()
}
