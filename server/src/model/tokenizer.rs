//! Builds the tokenizer that a GGUF file carries, so that a model is one file.
//!
//! Control tokens are never recognised in a text: a page that contains `<|im_end|>` is scored as the
//! characters it shows.

use super::gguf::{Gguf, LoadError};
use std::collections::HashMap;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence as Decoders;
use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::{NFC, Prepend, Replace, Sequence as Normalizers};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, DecoderWrapper, PreTokenizerWrapper, SplitDelimiterBehavior, Tokenizer};

/// Token types of GGUF (`tokenizer.ggml.token_type`).
const NORMAL: usize = 1;
const USER_DEFINED: usize = 4;

/// The marker that SentencePiece puts where a space was.
const SPACE_MARK: &str = "\u{2581}";

/// Splits words, with runs of at most three digits (Llama 3).
const LLAMA3_PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The same with single digits (Qwen 2).
const QWEN2_PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Single decimal digits. Other numeric characters (one half, circled one) stay with what precedes them, as
/// in the reference outputs; other readers of this pre-tokenizer split those off too.
const DECIMAL_DIGIT: &str = r"\p{Nd}";

/// A tokenizer with what a forward pass must put before a text.
pub(crate) struct TextTokenizer {
    inner: Tokenizer,
    /// The token that begins every sequence, where the model was trained with one.
    pub(crate) bos: Option<u32>,
    /// The token that ends a text.
    pub(crate) end: Option<u32>,
}

/// How chat models mark whose turn it is: the tokens before and after a turn, and the names of the two.
const TURNS: [(&str, &str, &str, &str); 2] = [
    ("<|im_start|>", "<|im_end|>", "user", "assistant"),
    ("<start_of_turn>", "<end_of_turn>", "user", "model"),
];

/// A token and the bytes of the text that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextToken {
    /// Its number in the vocabulary.
    pub id: u32,
    /// First byte.
    pub start: usize,
    /// One past the last byte. Tokens that share one character have the same range.
    pub end: usize,
}

impl TextTokenizer {
    pub(crate) fn read(gguf: &Gguf) -> Result<Self, LoadError> {
        let kind = gguf.string("tokenizer.ggml.model")?.to_owned();
        let mut inner = match kind.as_str() {
            "gpt2" => byte_level(gguf)?,
            "llama" => sentence_piece(gguf)?,
            other => return Err(LoadError::Tokenizer(format!("its kind `{other}` is not supported"))),
        };
        inner
            .with_truncation(None)
            .map_err(|error| LoadError::Tokenizer(error.to_string()))?
            .with_padding(None);
        let bos = if gguf.flag("tokenizer.ggml.add_bos_token").unwrap_or(kind == "llama") {
            let id = gguf.number("tokenizer.ggml.bos_token_id")?;
            Some(
                u32::try_from(id)
                    .map_err(|_| LoadError::Metadata("tokenizer.ggml.bos_token_id".to_owned()))?,
            )
        } else {
            None
        };
        let end = gguf.number("tokenizer.ggml.eos_token_id").ok().and_then(|id| u32::try_from(id).ok());
        Ok(Self { inner, bos, end })
    }

    /// Reads a `tokenizer.json`.
    pub(crate) fn from_json(path: &std::path::Path) -> Result<Self, String> {
        let mut inner = Tokenizer::from_file(path).map_err(|error| error.to_string())?;
        inner.with_truncation(None).map_err(|error| error.to_string())?.with_padding(None);
        // A page that shows a control token shows its characters.
        inner.set_encode_special_tokens(true);
        Ok(Self { inner, bos: None, end: None })
    }

    /// Tokens in the vocabulary.
    pub(crate) fn vocabulary(&self) -> u32 {
        u32::try_from(self.inner.get_vocab_size(true)).unwrap_or(u32::MAX)
    }

    /// The tokens of a prompt; as a message to an assistant, if `chat` and if the model knows turns.
    pub(crate) fn prompt(&self, text: &str, chat: bool) -> Result<Vec<u32>, String> {
        let mut ids: Vec<u32> = self.bos.into_iter().collect();
        let plain = |text: &str| Ok::<_, String>(self.encode(text)?.into_iter().map(|token| token.id));
        let turns = TURNS.iter().find_map(|(open, close, user, assistant)| {
            let id = |token| self.inner.token_to_id(token);
            Some((id(open)?, id(close)?, user, assistant))
        });
        match turns.filter(|_| chat) {
            Some((open, close, user, assistant)) => {
                ids.push(open);
                ids.extend(plain(&format!("{user}\n{text}"))?);
                ids.push(close);
                ids.extend(plain("\n")?);
                ids.push(open);
                ids.extend(plain(&format!("{assistant}\n"))?);
            }
            None => ids.extend(plain(text)?),
        }
        Ok(ids)
    }

    /// The text of some tokens.
    pub(crate) fn decode(&self, ids: &[u32]) -> Result<String, String> {
        self.inner.decode(ids, true).map_err(|error| error.to_string())
    }

    /// Whether another tokenizer has the same tokens under the same numbers, and begins texts alike.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        self.bos == other.bos && self.inner.get_vocab(true) == other.inner.get_vocab(true)
    }

    pub(crate) fn encode(&self, text: &str) -> Result<Vec<TextToken>, String> {
        // Not `encode_fast`, which leaves every offset at zero.
        let encoding = self.inner.encode(text, false).map_err(|error| error.to_string())?;
        let ids = encoding.get_ids().iter();
        Ok(ids.zip(encoding.get_offsets()).map(|(&id, &(start, end))| TextToken { id, start, end }).collect())
    }
}

fn vocabulary(gguf: &Gguf) -> Result<Vec<String>, LoadError> {
    let tokens = gguf.strings("tokenizer.ggml.tokens")?;
    if u32::try_from(tokens.len()).is_ok() {
        Ok(tokens)
    } else {
        Err(LoadError::Tokenizer("too many tokens".into()))
    }
}

fn build(builder: tokenizers::models::bpe::BpeBuilder) -> Result<Tokenizer, LoadError> {
    builder.build().map(Tokenizer::new).map_err(|error| LoadError::Tokenizer(error.to_string()))
}

fn numbered(tokens: &[String]) -> Vec<(String, u32)> {
    tokens.iter().cloned().zip(0..).collect()
}

/// Byte-level BPE, as GPT-2 began it.
fn byte_level(gguf: &Gguf) -> Result<Tokenizer, LoadError> {
    let tokens = vocabulary(gguf)?;
    let merges = gguf
        .strings("tokenizer.ggml.merges")?
        .iter()
        .map(|merge| match merge.split_once(' ') {
            Some((left, right)) => Ok((left.to_owned(), right.to_owned())),
            None => Err(LoadError::Tokenizer(format!("the merge `{merge}` has one part"))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let pre = gguf.string("tokenizer.ggml.pre").unwrap_or("gpt-2").to_owned();
    let whole_words_first = pre == "llama-bpe";
    let vocab: tokenizers::models::bpe::Vocab = numbered(&tokens).into_iter().collect();
    let mut tokenizer =
        build(BPE::builder().vocab_and_merges(vocab, merges).ignore_merges(whole_words_first))?;
    let bytes = |regex| ByteLevel::new(false, false, regex);
    let pre_tokenizer = match pre.as_str() {
        "gpt-2" | "default" => bytes(true).into(),
        "smollm" => sequence(vec![split(DECIMAL_DIGIT)?, bytes(true).into()]),
        "qwen2" => sequence(vec![split(QWEN2_PATTERN)?, bytes(false).into()]),
        "llama-bpe" | "llama3" => sequence(vec![split(LLAMA3_PATTERN)?, bytes(false).into()]),
        other => return Err(LoadError::Tokenizer(format!("its pre-tokenizer `{other}` is not supported"))),
    };
    tokenizer.with_pre_tokenizer(Some(pre_tokenizer));
    tokenizer.with_decoder(Some(bytes(true)));
    if pre == "qwen2" {
        tokenizer.with_normalizer(Some(NFC)).map_err(|error| LoadError::Tokenizer(error.to_string()))?;
    }
    Ok(tokenizer)
}

fn sequence(steps: Vec<PreTokenizerWrapper>) -> PreTokenizerWrapper {
    PreTokenizers::new(steps).into()
}

fn split(pattern: &str) -> Result<PreTokenizerWrapper, LoadError> {
    Split::new(SplitPattern::Regex(pattern.to_owned()), SplitDelimiterBehavior::Isolated, false)
        .map(Into::into)
        .map_err(|error| LoadError::Tokenizer(error.to_string()))
}

/// SentencePiece BPE: GGUF keeps the score of each piece instead of the merges, which follow from it.
fn sentence_piece(gguf: &Gguf) -> Result<Tokenizer, LoadError> {
    let tokens = vocabulary(gguf)?;
    let scores = gguf.floats("tokenizer.ggml.scores")?;
    let types = gguf.numbers("tokenizer.ggml.token_type")?;
    if scores.len() != tokens.len() || types.len() != tokens.len() {
        return Err(LoadError::Tokenizer("its pieces, scores and types differ in number".to_owned()));
    }
    let unknown = gguf.number("tokenizer.ggml.unknown_token_id").ok().and_then(|id| tokens.get(id)).cloned();
    let merges = merges_from_scores(&tokens, &scores, &types);
    let vocab: tokenizers::models::bpe::Vocab = numbered(&tokens).into_iter().collect();
    let mut builder = BPE::builder().vocab_and_merges(vocab, merges).byte_fallback(true).fuse_unk(true);
    if let Some(unknown) = unknown {
        builder = builder.unk_token(unknown);
    }
    let mut tokenizer = build(builder)?;
    let failed = |error: tokenizers::Error| LoadError::Tokenizer(error.to_string());
    let mut normalizers = vec![Replace::new(" ", SPACE_MARK).map_err(failed)?.into()];
    if gguf.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true) {
        normalizers.insert(0, Prepend::new(SPACE_MARK.to_owned()).into());
    }
    tokenizer.with_normalizer(Some(Normalizers::new(normalizers))).map_err(failed)?;
    let user_defined: Vec<AddedToken> = tokens
        .iter()
        .zip(&types)
        .filter(|(token, kind)| **kind == USER_DEFINED && !token.is_empty())
        .map(|(token, _)| AddedToken::from(token.clone(), false).normalized(false))
        .collect();
    tokenizer.add_tokens(user_defined).map_err(failed)?;
    let spaces: DecoderWrapper = Replace::new(SPACE_MARK, " ").map_err(failed)?.into();
    tokenizer.with_decoder(Some(Decoders::new(vec![spaces, ByteFallback::new().into(), Fuse::new().into()])));
    Ok(tokenizer)
}

/// Every split of a piece into two pieces is a merge; better pieces merge first, longer left parts before
/// shorter ones.
fn merges_from_scores(tokens: &[String], scores: &[f32], types: &[usize]) -> Vec<(String, String)> {
    let mergeable = |at: usize| types[at] == NORMAL || types[at] == USER_DEFINED;
    let known: HashMap<&str, usize> = tokens
        .iter()
        .enumerate()
        .filter(|(at, _)| mergeable(*at))
        .map(|(at, token)| (token.as_str(), at))
        .collect();
    let mut merges: Vec<(f32, usize, usize)> = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(at, _)| types[*at] == NORMAL) {
        for (cut, _) in token.char_indices().skip(1) {
            if known.contains_key(&token[..cut]) && known.contains_key(&token[cut..]) {
                merges.push((scores[at], at, cut));
            }
        }
    }
    merges.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(b.2.cmp(&a.2)));
    merges
        .into_iter()
        .map(|(_, at, cut)| (tokens[at][..cut].to_owned(), tokens[at][cut..].to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_follow_scores() {
        let tokens: Vec<String> = ["a", "b", "c", "ab", "bc", "abc", "<0x0A>"].map(str::to_owned).to_vec();
        let scores = [-9.0, -9.0, -9.0, -2.0, -1.0, -3.0, 0.0];
        let types = [1, 1, 1, 1, 1, 1, 6];
        let merges = merges_from_scores(&tokens, &scores, &types);
        let merges: Vec<(&str, &str)> = merges.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(merges, [("b", "c"), ("a", "b"), ("ab", "c"), ("a", "bc")]);
    }
}
