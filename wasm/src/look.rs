//! Blocks in, reports out.

use bonafide_core::declared::{self, Declared, Metadata};
use bonafide_core::judge::{self, signed};
use bonafide_core::signature::check;
use bonafide_core::verdict::{BlockReport, Span};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The most blocks of one request.
const MAX_BLOCKS: usize = 4096;
/// The longest request, in bytes.
pub(crate) const MAX_BYTES: usize = 32 << 20;

#[derive(Deserialize)]
struct Request {
    document: Option<Document>,
    blocks: Vec<Block>,
    reports: Option<Vec<BlockReport>>,
}

/// What speaks for all parts of a document: its head, its beginning and its end.
#[derive(Deserialize)]
struct Document {
    metadata: Metadata,
    begins: String,
    ends: String,
}

#[derive(Deserialize)]
struct Block {
    id: String,
    text: String,
    part: bool,
    signed: Option<Signed>,
}

#[derive(Deserialize)]
struct Signed {
    statement: check::Report,
    whole: bool,
}

#[derive(Serialize)]
struct Reply {
    blocks: Vec<BlockReport>,
}

/// Judges what the request holds.
pub(crate) fn look(request: &str) -> Result<String, String> {
    if request.len() > MAX_BYTES {
        return Err(format!("a request may have {MAX_BYTES} bytes at most; send fewer blocks at once"));
    }
    let request: Request =
        serde_json::from_str(request).map_err(|error| format!("the request can't be read: {error}"))?;
    if request.blocks.len() > MAX_BLOCKS {
        return Err(format!("a request may have {MAX_BLOCKS} blocks at most; send fewer at once"));
    }
    let mut reports = HashMap::new();
    for report in request.reports.into_iter().flatten() {
        let id = report.id.clone();
        if reports.insert(id.clone(), report).is_some() {
            return Err(format!("there are two reports on the block {id:?}"));
        }
    }
    let document = request.document.as_ref().map(of_document);
    let mut seen = HashMap::new();
    let mut blocks = Vec::with_capacity(request.blocks.len());
    for block in &request.blocks {
        if seen.insert(&block.id, ()).is_some() {
            return Err(format!("there are two blocks {:?}", block.id));
        }
        blocks.push(judged(block, reports.remove(&block.id), document.as_ref())?);
    }
    if let Some(id) = reports.keys().next() {
        return Err(format!("there is a report on the block {id:?}, which was not sent"));
    }
    serde_json::to_string(&Reply { blocks }).map_err(|error| error.to_string())
}

fn of_document(document: &Document) -> Declared {
    let Document { metadata, begins, ends } = document;
    let text = if begins == ends { begins.clone() } else { format!("{begins}\n\n{ends}") };
    declared::speaks_for_all(&text, metadata)
}

fn judged(
    block: &Block,
    scored: Option<BlockReport>,
    document: Option<&Declared>,
) -> Result<BlockReport, String> {
    let mut report = match scored {
        // It holds already what the block declares, for the daemon reads that too.
        Some(report) => {
            check_spans(block, &report)?;
            report
        }
        None => {
            let mut report = judge::unread(&block.id, &block.text);
            let own = if block.part {
                declared::read_part(&block.text)
            } else {
                declared::read(&block.text, &Metadata::default())
            };
            judge::add(&mut report, own.evidence, own.declares_ai);
            report
        }
    };
    if let Some(declared) = document.filter(|_| block.part) {
        judge::add_of_document(&mut report, declared);
    }
    if let Some(Signed { statement, whole }) = &block.signed {
        signed::sign(&mut report, statement, *whole);
    }
    Ok(report)
}

/// A report on another text would mark the wrong words.
fn check_spans(block: &Block, report: &BlockReport) -> Result<(), String> {
    let length = block.text.chars().count();
    let fits = |span: &Span| span.start <= span.end && span.end <= length;
    let evidence = report.evidence.iter().filter_map(|found| found.span.as_ref());
    let sentences = report.sentences.iter().map(|sentence| &sentence.span);
    let tokens = report.tokens.iter().flatten().map(|token| &token.span);
    if evidence.chain(sentences).chain(tokens).all(fits) {
        Ok(())
    } else {
        Err(format!("the report on the block {:?} is not on its text", block.id))
    }
}

#[cfg(test)]
mod tests;
