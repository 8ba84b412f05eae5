//! `POST /v1/scam`: a chat in, how dangerous it is and why out.

use super::body::JsonBody;
use super::error::{ApiError, ErrorBody};
use super::judge::PlannedChat;
use super::score::{Block, on_cpu, reports, scores};
use super::{App, Ready};
use crate::chats::At;
use crate::scam::Tag;
use crate::scam::opinion::{self, MOST_BYTES, Spoken};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bonafide_core::scam::{Conversation, Report, Setting, Side, Turn};
use bonafide_core::text::words;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of the other side's latest messages that the language model reads at most: about 2000 tokens. No text has more
/// tokens than bytes.
const MOST_READ: usize = 8000;
/// Words that they must have together, or the model says too little.
const LEAST_WORDS: usize = 100;

/// A chat, from its beginning or from where the caller knows it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScamRequest {
    /// Its messages, the oldest first.
    pub turns: Vec<TurnInput>,
    /// What is known beside them.
    #[serde(default)]
    pub setting: SettingInput,
    /// The language of the reply as a BCP 47 tag, whose region chooses whom to call; English if it is absent.
    pub language: Option<Tag>,
    /// Whether the language model is to read the other side's latest messages too: that a model wrote them is evidence. It
    /// takes much longer, and at least 100 words of theirs.
    #[serde(default)]
    pub ai: bool,
    /// Whether the language model is to be asked for a second opinion where the engine is not sure. It reads both sides'
    /// latest messages, in English or Chinese and at least eight of them, and takes about a second.
    #[serde(default)]
    pub second_opinion: bool,
}

/// A message.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnInput {
    /// Whose it is.
    pub side: Side,
    /// Its words; `[image]` stands for a picture.
    pub text: String,
    /// When it was sent: RFC 3339, or milliseconds since 1970.
    pub at: Option<At>,
}

/// What is known of a chat beside its messages. What is absent is not known, and tells nothing.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingInput {
    /// Whether the other side is a stranger who wrote first.
    pub new_contact: Option<bool>,
    /// A link in the other side's profile.
    pub profile_link: Option<String>,
}

/// Says whether a chat is a scam: the risk, its probability, the stage, the evidence with its messages, and what to do.
///
/// Scope: `score`. Places index `turns`; spans count Unicode code points of a message. It answers while the model is still
/// being loaded, unless `ai` or `second_opinion` is true.
#[utoipa::path(post, path = "/v1/scam", tag = "scam", request_body = ScamRequest,
    security(("bearer" = []), ("api_key" = [])),
    responses(
        (status = 200, body = Report),
        (status = 400, body = ErrorBody, description = "The body is not JSON in UTF-8"),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "The token lacks the scope, or the origin is refused"),
        (status = 408, body = ErrorBody, description = "The body came too slowly"),
        (status = 413, body = ErrorBody, description = "Too many bytes or messages; the message says which"),
        (status = 415, body = ErrorBody, description = "The body is not `application/json`"),
        (status = 422, body = ErrorBody, description = "The JSON is no chat"),
        (status = 429, body = ErrorBody, description = "Too much is waiting; the header `retry-after` says when to try again"),
        (status = 503, body = ErrorBody, description = "`ai` or `second_opinion` is true, and the model is still being loaded"),
        (status = 504, body = ErrorBody, description = "It took too long"),
    ))]
pub(super) async fn scam(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<ScamRequest>,
) -> Result<Json<Report>, ApiError> {
    check_size(&app, &request)?;
    let seconds = app.limits.request_seconds;
    tokio::time::timeout(Duration::from_secs(seconds), run(&app, request)).await.map_err(|_| {
        let message = format!("reading the chat took longer than {seconds} s");
        ApiError::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message).hint("send its last part")
    })?
}

fn check_size(app: &App, request: &ScamRequest) -> Result<(), ApiError> {
    let (count, most) = (request.turns.len(), app.limits.turns);
    if request.turns.iter().all(|turn| turn.text.trim().is_empty()) {
        return Err(ApiError::invalid("empty", "there are no messages to read"));
    }
    if count > most {
        let message = format!("{count} messages were sent, and at most {most} are taken in a request");
        return Err(ApiError::too_large("too_many_turns", message).hint("send the last ones"));
    }
    let link = request.setting.profile_link.as_deref().map_or(0, str::len);
    let bytes = request.turns.iter().map(|turn| turn.text.len()).sum::<usize>() + link;
    let limit = app.limits.text_bytes;
    if bytes > limit {
        let message = format!("the chat has {bytes} bytes, and at most {limit} are taken in a request");
        return Err(ApiError::too_large("text_too_large", message).hint("send its last part"));
    }
    Ok(())
}

async fn run(app: &App, request: ScamRequest) -> Result<Json<Report>, ApiError> {
    let ScamRequest { turns, setting, language, ai, second_opinion } = request;
    let turns = Arc::new(turns);
    let ai_probability = if ai { likeness(app, app.ready()?, &turns).await? } else { None };
    let SettingInput { new_contact, profile_link } = setting;
    let setting = Setting { new_contact, profile_link, ai_probability, ..Setting::default() };
    let language = language.unwrap_or_default();
    let (own, said, tag) = (setting.clone(), Arc::clone(&turns), language.clone());
    let read = move || {
        let mut conversation = Conversation::new(own)?;
        for TurnInput { side, text, at } in said.iter() {
            conversation.add(Turn { side: *side, text, at: at.map(|at| at.0) });
        }
        let report = conversation.report(tag.as_str());
        let wanted = second_opinion && opinion::is_wanted_on(&report)?;
        Ok((conversation, report, wanted))
    };
    let unloaded = |_: &str| ApiError::internal("internal", "the scam engine can't be loaded");
    let (mut conversation, report, wanted) = on_cpu(app, read).await?.map_err(unloaded)?;
    if second_opinion {
        // Who asks for it while there is none is told so, whether it were needed or not.
        let ready = app.ready()?;
        if wanted && let Some(opinion) = opinion_on(app, ready, &turns).await? {
            conversation.set(Setting { second_opinion: Some(opinion), ..setting });
            return Ok(Json(conversation.report(language.as_str())));
        }
    }
    Ok(Json(report))
}

/// What the language model adds to the log-odds of a scam; `None` if it has no opinion on chats in this language.
async fn opinion_on(app: &App, ready: &Ready, turns: &Arc<Vec<TurnInput>>) -> Result<Option<f64>, ApiError> {
    let most = MOST_BYTES.min(app.limits.request_tokens / 2);
    let (judge, turns) = (Arc::clone(&ready.judge), Arc::clone(turns));
    let plan = move || {
        let turns = turns.iter().map(|turn| (turn.side, turn.text.as_str()));
        judge.plan_chat(&Spoken::of(turns, most))
    };
    let planned = on_cpu(app, plan).await?;
    let planned =
        planned.map_err(|_| ApiError::internal("tokenizer_failed", "the tokenizer failed on this chat"))?;
    let Some(PlannedChat { windows, opine }) = planned else { return Ok(None) };
    let scores = scores(app, ready, vec![windows]).await?;
    Ok(scores.first().and_then(|stats| opine(stats)))
}

/// Probability that a language model wrote the other side's latest messages; `None` if they are too few, or nothing is known
/// of their language.
async fn likeness(app: &App, ready: &Ready, turns: &[TurnInput]) -> Result<Option<f64>, ApiError> {
    // Windows overlap, so that a text costs more tokens than it has.
    let most = MOST_READ.min(app.limits.request_tokens / 2);
    let text = latest(turns, most);
    if words::count(&text) < LEAST_WORDS {
        return Ok(None);
    }
    let blocks = Arc::new(vec![Block { id: "them".to_owned(), text, part: true }]);
    let reports = reports(app, ready, &blocks, false).await?;
    for report in &reports {
        app.metrics.block(report.verdict);
    }
    Ok(reports.first().and_then(|report| report.probability))
}

/// The other side's messages from the last one back, as many as have so many bytes, in their order.
fn latest(turns: &[TurnInput], most: usize) -> String {
    let mut left = most;
    let mut texts = Vec::new();
    for turn in turns.iter().rev().filter(|turn| turn.side == Side::Them) {
        let text = turn.text.trim();
        if text.is_empty() {
            continue;
        }
        // Between two messages stands an empty line.
        let Some(rest) = left.checked_sub(text.len() + 2) else { break };
        left = rest;
        texts.push(text);
    }
    texts.reverse();
    texts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(side: Side, text: &str) -> TurnInput {
        TurnInput { side, text: text.to_owned(), at: None }
    }

    #[test]
    fn the_latest_messages_of_the_other_side_are_read() {
        let turns = [
            turn(Side::Them, "first"),
            turn(Side::Me, "mine"),
            turn(Side::Them, " second \n"),
            turn(Side::Them, ""),
            turn(Side::Them, "third"),
        ];
        assert_eq!(latest(&turns, 100), "first\n\nsecond\n\nthird");
        assert_eq!(latest(&turns, 15), "second\n\nthird", "8 and 7 bytes");
        assert_eq!(latest(&turns, 14), "third");
        assert_eq!(latest(&turns, 3), "");
        assert_eq!(latest(&[], 100), "");
    }
}
