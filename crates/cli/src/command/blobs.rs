//! `livedump blobs`.

use capture::{Class, Failure};
use format::{Blob, BlobEnd, Blobs, Content, Dump, Extent};

use super::{Outcome, answer, bytes, file};
use crate::args::BlobsArgs;
use crate::args::values::WhichBlob;
use crate::render::blobs::{BlobsReport, ListedBlob, text};

pub(super) fn run(typed: &BlobsArgs) -> Outcome {
    bytes::check("blobs", &typed.bytes, typed.output.json)?;
    let source = file::open(&typed.file, &typed.open)?;
    let unreadable = |error| file::unreadable(&typed.file, &error);
    let dump = Dump::open(&source).map_err(unreadable)?;
    let blobs = dump.blobs().map_err(unreadable)?;
    let Some(which) = typed.which else { return list(typed, &dump, blobs.as_ref()) };
    let blob = blobs.as_ref().and_then(|blobs| find(blobs, which));
    let Some(blob) = blob.copied() else { return Err(no_such(typed, blobs.as_ref()).into()) };
    let asked = bytes::Asked {
        schema: "livedump.blob/1",
        path: &typed.file,
        bytes: &typed.bytes,
        json: typed.output.json,
        address: 0,
        length: blob.size.into(),
        space: "blob",
        simulated: dump.header().is_simulated(),
        file: None,
        notes: Vec::new(),
    };
    bytes::run(asked, &source, &mut |see| {
        let (length, content) = (blob.size.into(), Content::Held { offset: blob.offset });
        if length > 0 {
            see(Extent { address: 0, length, content });
        }
        Ok(None)
    })
}

fn find(blobs: &Blobs, which: WhichBlob) -> Option<&Blob> {
    match which {
        WhichBlob::Number(number) => blobs.list.get(number.checked_sub(1)?),
        WhichBlob::Tag(tag) => blobs.find(tag),
    }
}

fn no_such(typed: &BlobsArgs, blobs: Option<&Blobs>) -> Failure {
    let count = blobs.map_or(0, |blobs| blobs.list.len());
    let which = match typed.which {
        Some(WhichBlob::Tag(tag)) => format!("with the tag {tag}"),
        Some(WhichBlob::Number(number)) => format!("{number}"),
        None => String::new(),
    };
    let path = typed.file.display();
    let text = format!("'{path}' has no blob {which}: it has {count}");
    Failure::new(Class::NotFound, text).remedy(format!("livedump blobs {path} lists them"))
}

fn list(typed: &BlobsArgs, dump: &Dump<'_>, blobs: Option<&Blobs>) -> Outcome {
    let listed = |(index, blob): (usize, &Blob)| {
        Ok(ListedBlob {
            number: index + 1,
            tag: blob.tag.to_string(),
            meaning: blob.meaning().map(str::to_owned),
            offset: blob.offset,
            size: blob.size,
            begins: begins(dump, blob)?,
        })
    };
    let all = blobs.map(|blobs| blobs.list.as_slice()).unwrap_or_default();
    let list: Result<Vec<_>, format::Error> = all.iter().enumerate().map(listed).collect();
    let list = list.map_err(|error| file::unreadable(&typed.file, &error))?;
    let report = BlobsReport {
        schema: "livedump.blobs/1".into(),
        path: typed.file.display().to_string(),
        simulated: dump.header().is_simulated(),
        offset: blobs.map(|blobs| blobs.offset),
        count: blobs.map_or(0, |blobs| blobs.count),
        end: blobs.and_then(|blobs| end(blobs.end)),
        blobs: list,
    };
    answer(typed.output.json, Class::Done, &report, text)
}

/// First bytes of a blob: what tells people its kind when its tag does not.
fn begins(dump: &Dump<'_>, blob: &Blob) -> Result<String, format::Error> {
    const SHOWN: u32 = 8;
    let bytes = dump.bytes("a blob's data", blob.offset, blob.size.min(SHOWN).into())?;
    let mut text = String::new();
    crate::render::hex::digits(&mut text, &bytes);
    Ok(text)
}

/// How the list ended, where that is not the end of the file.
fn end(end: BlobEnd) -> Option<String> {
    match end {
        BlobEnd::EndOfFile => None,
        BlobEnd::Slack { offset } => Some(format!("at {offset:#x}, where zeros begin")),
        BlobEnd::NoHeader { offset, found } => {
            Some(format!("at {offset:#x}, where no blob begins (found {found:#x})"))
        }
        BlobEnd::Cut { offset, missing } => {
            Some(format!("at {offset:#x}, inside a blob: {missing} bytes of it are missing"))
        }
        BlobEnd::TooMany => Some("there are more than any real dump has".to_owned()),
    }
}
