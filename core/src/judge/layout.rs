//! Which token belongs to which sentence, and where both stand in the text as it came.

use super::ScoredBlock;
use crate::text::sentences;
use crate::verdict::{Span, TokenReport};
use std::ops::Range;

/// The block's sentences with their scored tokens.
pub(super) struct Layout {
    spans: Vec<Span>,
    /// Where each token stands in the original.
    tokens: Vec<Span>,
    /// For each sentence, its range among the scored tokens.
    scored: Vec<Range<usize>>,
}

impl Layout {
    pub(super) fn new(block: &ScoredBlock<'_>) -> Self {
        let spans = sentences::spans(block.text);
        let tokens: Vec<Span> =
            block.tokens.iter().map(|token| original_span(block, token.bytes.clone())).collect();
        let mut scored = vec![0..0; spans.len()];
        let mut next = 0;
        let mut position = 0;
        for (token, span) in block.tokens.iter().zip(&tokens) {
            // The sentence that holds the token's first character, or the last one to begin before it.
            while spans.get(next + 1).is_some_and(|following| following.start <= span.start) {
                next += 1;
            }
            if token.stats.is_none() {
                continue;
            }
            if let Some(range) = scored.get_mut(next) {
                if range.start == range.end {
                    range.start = position;
                }
                range.end = position + 1;
            }
            position += 1;
        }
        Self { spans, tokens, scored }
    }

    /// Each sentence and its range among the scored tokens.
    pub(super) fn sentences(&self) -> impl Iterator<Item = (Span, Range<usize>)> {
        self.spans.iter().copied().zip(self.scored.iter().cloned())
    }

    pub(super) fn tokens(&self, block: &ScoredBlock<'_>) -> Vec<TokenReport> {
        let finite = |value: f32| Some(value).filter(|value| value.is_finite());
        block
            .tokens
            .iter()
            .zip(&self.tokens)
            .map(|(token, &span)| TokenReport {
                span,
                logprob: token.stats.and_then(|stats| finite(stats.logprob)),
                rank: token.stats.map(|stats| stats.rank),
                entropy: token.stats.and_then(|stats| finite(stats.entropy)),
            })
            .collect()
    }
}

/// A token's place in the original, without the blank that byte-level vocabularies put before a word.
fn original_span(block: &ScoredBlock<'_>, bytes: Range<usize>) -> Span {
    let text = block.scoring.text().as_bytes();
    let end = bytes.end.min(text.len());
    let start = bytes.start.min(end);
    let blanks = text[start..end].iter().take_while(|&&byte| byte == b' ').count();
    let visible = if start + blanks < end { start + blanks } else { start };
    block.scoring.original_span(visible..end)
}
