//! `POST /v1/score`: text in, a verdict with its evidence out.

use super::body::JsonBody;
use super::error::{ApiError, ErrorBody};
use super::{App, Planned, Ready};
use crate::cache::Key;
use crate::document::read::Format;
use crate::document::{self, DocumentError, declared};
use crate::queue::{QueueError, Scores, Work};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bonafide_core::verdict::{BlockReport, CalibrationIdentity, ModelIdentity};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Bytes that a token stands for at most often enough to turn a caller away before its text is tokenised.
const BYTES_A_TOKEN: usize = 6;

/// What to score: exactly one of `text`, `html` and `blocks`.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreRequest {
    /// Plain text, scored as one block with the id `1`.
    pub text: Option<String>,
    /// An HTML page or fragment; its main content is cut into blocks with the ids `1`, `2`, … What its head declares is
    /// evidence on each of them.
    pub html: Option<String>,
    /// The page's address, which helps to find its main content. Nothing is fetched.
    pub url: Option<String>,
    /// Blocks that the caller has cut.
    pub blocks: Option<Vec<BlockInput>>,
    /// Whether to reply with every token's values too.
    #[serde(default)]
    pub tokens: bool,
}

/// A block to score.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockInput {
    /// The caller's name for it, given back in the reply.
    pub id: String,
    /// Its text.
    pub text: String,
    /// Whether it is cut out of a longer document: then a label on its first or last line is not the document's, and
    /// declares nothing.
    #[serde(default)]
    pub part: bool,
}

/// The reply: blocks in the order in which they came, and what scored them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ScoreReply {
    /// What is said of each block.
    pub blocks: Vec<BlockReply>,
    /// The model that scored.
    pub model: ModelIdentity,
    /// The first calibration; null if none fits the model, in which case the statistics give no other verdict than `unclear`.
    pub calibration: Option<CalibrationIdentity>,
    /// All calibrations, each for other languages. A block says which one it was compared with.
    pub calibrations: Vec<CalibrationIdentity>,
    /// Version of the program.
    pub version: String,
}

/// What is said of a block.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BlockReply {
    /// The report.
    #[serde(flatten)]
    pub report: BlockReport,
    /// The block's text, which the spans index; only in replies to `html`, whose blocks the daemon has cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A text on its way to a report.
pub(super) struct Block {
    pub(super) id: String,
    pub(super) text: String,
    /// Whether it is cut out of a longer text.
    pub(super) part: bool,
}

enum Input {
    Blocks(Vec<Block>),
    Html { html: String, url: Option<String> },
}

/// Refuses while the model is loading, before a body is read for nothing.
pub(super) struct Loaded;

impl FromRequestParts<Arc<App>> for Loaded {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        app.ready().map(|_| Self)
    }
}

/// Says who made a text: per block the verdict, its probability and p-value, the evidence, the sentences.
///
/// Scope: `score`. Spans count Unicode code points of the block's text.
#[utoipa::path(post, path = "/v1/score", tag = "score", request_body = ScoreRequest,
    security(("bearer" = []), ("api_key" = [])),
    responses(
        (status = 200, body = ScoreReply),
        (status = 400, body = ErrorBody, description = "The body is not JSON in UTF-8"),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "The token lacks the scope, or the origin is refused"),
        (status = 408, body = ErrorBody, description = "The body came too slowly"),
        (status = 413, body = ErrorBody, description = "Too many bytes, blocks or tokens; the message says which"),
        (status = 415, body = ErrorBody, description = "The body is not `application/json`"),
        (status = 422, body = ErrorBody, description = "The JSON does not say what to score"),
        (status = 429, body = ErrorBody, description = "Too much is waiting; the header `retry-after` says when to try again"),
        (status = 503, body = ErrorBody, description = "The model is still being loaded"),
        (status = 504, body = ErrorBody, description = "It took too long"),
    ))]
pub(super) async fn score(
    State(app): State<Arc<App>>,
    _: Loaded,
    JsonBody(request): JsonBody<ScoreRequest>,
) -> Result<Json<ScoreReply>, ApiError> {
    let seconds = app.limits.request_seconds;
    tokio::time::timeout(Duration::from_secs(seconds), run(&app, request)).await.map_err(|_| {
        let message = format!("scoring took longer than {seconds} s");
        ApiError::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message).hint("send less text in a request")
    })?
}

async fn run(app: &App, request: ScoreRequest) -> Result<Json<ScoreReply>, ApiError> {
    let ready = app.ready()?;
    let tokens = request.tokens;
    let (blocks, page) = match input(request)? {
        Input::Blocks(blocks) => (blocks, None),
        Input::Html { html, url } => {
            let read = move || {
                let blocks = document::html_blocks(&html, url.as_deref())?;
                let declared = declared::declared(&html, Format::Html, &blocks);
                Ok::<_, DocumentError>((blocks, declared))
            };
            let (blocks, declared) = on_cpu(app, read).await??;
            let part = blocks.len() > 1;
            let blocks = blocks.into_iter().map(|block| Block { id: block.id, text: block.text, part });
            (blocks.collect(), Some(declared))
        }
    };
    check_size(app, &blocks)?;
    let blocks = Arc::new(blocks);
    let reports = reports(app, ready, &blocks, tokens).await?;
    let replies = blocks.iter().zip(reports).map(|(block, report)| {
        let mut report = BlockReport { id: block.id.clone(), ..Arc::unwrap_or_clone(report) };
        if let Some(page) = &page {
            bonafide_core::judge::add_of_document(&mut report, page);
        }
        app.metrics.block(report.verdict);
        BlockReply { report, text: page.is_some().then(|| block.text.clone()) }
    });
    Ok(Json(ScoreReply {
        blocks: replies.collect(),
        model: ready.model.clone(),
        calibration: ready.calibrations.first().cloned(),
        calibrations: ready.calibrations.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }))
}

fn input(request: ScoreRequest) -> Result<Input, ApiError> {
    let ScoreRequest { text, html, url, blocks, tokens: _ } = request;
    let one = |message: &'static str| Err(ApiError::invalid("wrong_input", message));
    if url.is_some() && html.is_none() {
        return one("`url` goes with `html` only: the daemon fetches nothing");
    }
    let input = match (text, html, blocks) {
        (Some(text), None, None) => Input::Blocks(vec![Block { id: "1".to_owned(), text, part: false }]),
        (None, Some(html), None) => Input::Html { html, url },
        (None, None, Some(blocks)) => {
            let blocks = blocks.into_iter().map(|BlockInput { id, text, part }| Block { id, text, part });
            Input::Blocks(blocks.collect())
        }
        (None, None, None) => return one("one of `text`, `html` and `blocks` is required"),
        _ => return one("only one of `text`, `html` and `blocks` may be sent"),
    };
    let empty = match &input {
        Input::Blocks(blocks) => blocks.iter().all(|block| block.text.trim().is_empty()),
        Input::Html { html, .. } => html.trim().is_empty(),
    };
    if empty { Err(ApiError::invalid("empty", "there is no text to score")) } else { Ok(input) }
}

fn check_size(app: &App, blocks: &[Block]) -> Result<(), ApiError> {
    let (most, limit) = (app.limits.blocks, app.limits.text_bytes);
    if blocks.len() > most {
        let message = format!("{} blocks were sent, and at most {most} are taken in a request", blocks.len());
        return Err(ApiError::too_large("too_many_blocks", message).hint("send them in several requests"));
    }
    let bytes: usize = blocks.iter().map(|block| block.text.len()).sum();
    if bytes > limit {
        let message = format!("the text has {bytes} bytes, and at most {limit} are taken in a request");
        return Err(ApiError::too_large("text_too_large", message).hint("send it in several requests"));
    }
    Ok(())
}

/// A report for every block, from the cache or from the model.
pub(super) async fn reports(
    app: &App,
    ready: &Ready,
    blocks: &Arc<Vec<Block>>,
    tokens: bool,
) -> Result<Vec<Arc<BlockReport>>, ApiError> {
    let of_part = format!("{}\npart", ready.identity);
    let key = |block: &Block| {
        let judge = if block.part { &of_part } else { &ready.identity };
        app.cache.key(judge, tokens, &block.text)
    };
    let keys: Vec<Key> = blocks.iter().map(key).collect();
    let mut reports: Vec<_> = keys.iter().map(|key| app.cache.get(key)).collect();
    let missing: Vec<usize> = (0..blocks.len()).filter(|&index| reports[index].is_none()).collect();
    app.metrics.cache_misses.inc_by(missing.len() as u64);
    app.metrics.cache_hits.inc_by((blocks.len() - missing.len()) as u64);
    if !missing.is_empty() {
        let fresh = judge(app, ready, blocks, &missing, tokens).await?;
        for (index, report) in missing.into_iter().zip(fresh) {
            let report = Arc::new(report);
            app.cache.put(keys[index], Arc::clone(&report));
            reports[index] = Some(report);
        }
    }
    Ok(reports.into_iter().flatten().collect())
}

/// Scores and judges the blocks of the given indices.
async fn judge(
    app: &App,
    ready: &Ready,
    blocks: &Arc<Vec<Block>>,
    indices: &[usize],
    tokens: bool,
) -> Result<Vec<BlockReport>, ApiError> {
    let bytes: usize = indices.iter().map(|&index| blocks[index].text.len()).sum();
    let most = app.limits.request_tokens;
    // What may be too long at any time is tokenised to know, or a busy daemon would say "later" for "never".
    if bytes / BYTES_A_TOKEN <= most {
        ready.queue.has_room(bytes / BYTES_A_TOKEN)?;
    }

    let (of_plan, texts, engine) = (indices.to_vec(), Arc::clone(blocks), Arc::clone(&ready.judge));
    let plan = move || {
        of_plan
            .iter()
            .map(|&index| Arc::clone(&engine).plan(&texts[index].text, texts[index].part))
            .collect::<Result<Vec<_>, _>>()
    };
    let mut planned: Vec<Planned> = on_cpu(app, plan)
        .await?
        .map_err(|_| ApiError::internal("tokenizer_failed", "the tokenizer failed on this text"))?;

    let work: Vec<_> = planned.iter_mut().map(Planned::take_windows).collect();
    let cost: usize = work.iter().flatten().map(|window| window.tokens.len()).sum();
    if cost > most {
        let message = format!("the text takes {cost} tokens, and at most {most} are scored in a request");
        return Err(ApiError::too_large("too_many_tokens", message).hint("send it in several requests"));
    }
    let scores = scores(app, ready, work).await?;

    let (of_judge, texts) = (indices.to_vec(), Arc::clone(blocks));
    on_cpu(app, move || {
        let judged = of_judge.iter().zip(planned).zip(scores);
        judged.map(|((&index, planned), stats)| planned.judge(&texts[index].id, &stats, tokens)).collect()
    })
    .await
}

/// What the model says of windows, once their turn has come.
pub(super) async fn scores(app: &App, ready: &Ready, work: Work) -> Result<Scores, ApiError> {
    let ticket = ready.queue.submit(work)?;
    // What is let in is expected to be done in time; if it is not, others or a slower machine got in its way.
    let patience = Duration::from_secs(app.limits.request_seconds) * 9 / 10;
    let late = |_| QueueError::Overloaded { retry_after: Duration::from_secs(10) };
    Ok(tokio::time::timeout(patience, ticket.wait()).await.map_err(late)??)
}

/// Runs CPU work off the threads that serve connections, no more at once than there are cores.
pub(super) async fn on_cpu<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let failed = || ApiError::internal("internal", "the daemon failed on this text");
    let permit = Arc::clone(&app.cpu).acquire_owned().await.map_err(|_| failed())?;
    let run = move || {
        // Held to the end even if the caller goes, for the work goes on.
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(run).await.map_err(|_| failed())
}
