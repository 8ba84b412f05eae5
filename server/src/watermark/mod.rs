//! Watermark keys: where they are kept, and looking for all of them in a text.

pub mod file;

use crate::model::gguf::{Gguf, LoadError};
use crate::model::registry::{Registry, RegistryError};
use crate::model::store;
use crate::model::tokenizer::{TextToken, TextTokenizer};
use crate::paths::Paths;
use bonafide_core::watermark::detector::Detector;
use bonafide_core::watermark::find::Finding;
use bonafide_core::watermark::scheme::{Entropy, SchemeError};
use file::{Entry, TokenizerSpec};
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a key can't be looked for.
#[derive(Debug, thiserror::Error)]
#[error("the watermark key `{key}` can't be used: {source}")]
pub struct WatermarkError {
    /// The key.
    pub key: String,
    /// What is wrong.
    pub source: Problem,
}

/// What is wrong with a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A parameter.
    #[error(transparent)]
    Scheme(#[from] SchemeError),
    /// The model whose tokenizer it names is not known.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The model whose tokenizer it names was not pulled.
    #[error("its tokenizer is that of the model {0}; run: bonafide model pull {0}")]
    NotPulled(String),
    /// It is about the tokens of another model.
    #[error("its tokens are not those of the model {0}: name the right model with --model")]
    OtherTokenizer(String),
    /// The tokenizer can't be read.
    #[error(transparent)]
    Tokenizer(#[from] LoadError),
    /// A `tokenizer.json` can't be read.
    #[error("its tokenizer {path} can't be read: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A key that is ready to be looked for.
#[derive(Debug)]
pub struct Prepared {
    /// What is known of it.
    pub entry: Entry,
    /// What looks for it.
    pub detector: Detector,
}

/// What the model said of each token, if it was asked and could say it.
type Known = Option<Arc<Vec<f32>>>;

/// Keys whose texts were cut by one tokenizer.
struct Group {
    /// `None` for the tokenizer of the loaded model.
    tokenizer: Option<Arc<TextTokenizer>>,
    keys: Vec<Prepared>,
}

/// All keys that are looked for. Shared by all threads.
#[derive(Default)]
pub struct Watermarks {
    groups: Vec<Group>,
    problems: Vec<WatermarkError>,
}

/// A mark that was found, or the best that there is of one.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// With which key.
    pub key: &'a Prepared,
    /// What was found.
    pub finding: Finding,
    /// The stretch, in bytes of the text that was looked at.
    pub bytes: std::ops::Range<usize>,
    /// Whether the key weighs tokens by entropies that were not at hand.
    pub unweighted: bool,
}

/// The user's keys and those that come with the program.
///
/// # Errors
/// If the user's key file can't be used.
pub fn configured(paths: &Paths) -> Result<Vec<Entry>, file::KeyFileError> {
    let mut entries = file::load(&paths.config)?;
    let built_in = file::built_in()?;
    entries.extend(built_in.into_iter().filter(|entry| !entry.slow()));
    Ok(entries)
}

/// The key of a name: the user's own, or one that comes with the program.
///
/// # Errors
/// If there is none, or the user's key file can't be used.
pub fn find_key(paths: &Paths, name: &str) -> Result<Entry, Box<dyn std::error::Error + Send + Sync>> {
    let all = file::load(&paths.config)?.into_iter().chain(file::built_in()?);
    let unknown = || format!("there is no watermark key `{name}`: see `bonafide watermark keys list`");
    Ok(all.into_iter().find(|entry| entry.name == name).ok_or_else(unknown)?)
}

impl Watermarks {
    /// Prepares keys. `loaded` is the tokenizer of the loaded model, and `name` the model's. A key that can't be used is
    /// left out, with a problem: the others are no worse for it.
    pub(crate) fn prepare(entries: Vec<Entry>, name: &str, loaded: &TextTokenizer) -> Self {
        let mut groups: HashMap<TokenizerSpec, Group> = HashMap::new();
        let mut problems = Vec::new();
        for entry in entries {
            let key = entry.name.clone();
            let spec = match &entry.tokenizer {
                TokenizerSpec::Model(model) if model == name => TokenizerSpec::Loaded,
                other => other.clone(),
            };
            if let Err(source) = Self::add(&mut groups, spec, entry, loaded) {
                problems.push(WatermarkError { key, source });
            }
        }
        Self { groups: groups.into_values().filter(|group| !group.keys.is_empty()).collect(), problems }
    }

    fn add(
        groups: &mut HashMap<TokenizerSpec, Group>,
        spec: TokenizerSpec,
        entry: Entry,
        loaded: &TextTokenizer,
    ) -> Result<(), Problem> {
        let group = match groups.entry(spec) {
            std::collections::hash_map::Entry::Occupied(group) => group.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let tokenizer = tokenizer(place.key())?.map(Arc::new);
                place.insert(Group { tokenizer, keys: Vec::new() })
            }
        };
        let tokenizer = group.tokenizer.as_deref().unwrap_or(loaded);
        let vocabulary = entry.vocabulary().unwrap_or_else(|| tokenizer.vocabulary());
        let detector = Detector::new(entry.scheme(vocabulary)?)?;
        group.keys.push(Prepared { entry, detector });
        Ok(())
    }

    /// The keys that can't be looked for, and why.
    #[must_use]
    pub fn problems(&self) -> &[WatermarkError] {
        &self.problems
    }

    /// How many keys are looked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.iter().map(|group| group.keys.len()).sum()
    }

    /// Whether no keys are looked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &Prepared> {
        self.groups.iter().flat_map(|group| &group.keys)
    }

    /// Looks for every key. `own` are the text's tokens by the loaded model's tokenizer; `entropies` says of each what a
    /// key asks for, if that is known. What can't be tokenised has no marks.
    pub(crate) fn find(
        &self,
        text: &str,
        own: &[TextToken],
        mut entropies: impl FnMut(&Prepared) -> Option<Vec<f32>>,
    ) -> Vec<Found<'_>> {
        let mut found = Vec::new();
        for group in &self.groups {
            let other = group.tokenizer.as_ref().map(|tokenizer| tokenizer.encode(text).unwrap_or_default());
            let tokens = other.as_deref().unwrap_or(own);
            let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
            // Entropies are those of the loaded model, so they are known for its own tokens only.
            let asks = |key: &Prepared| other.is_none() && key.detector.needs() != Entropy::None;
            // Keys that ask for the same share the answer: it may cost a pass of the model.
            let mut asked: Vec<((Entropy, bool), Known)> = Vec::new();
            let mut known = Vec::new();
            for key in &group.keys {
                let kind = (key.detector.needs(), key.entry.built_in);
                let answer = match asked.iter().find(|(known, _)| *known == kind) {
                    Some((_, answer)) => answer.clone(),
                    None if asks(key) => {
                        let answer = entropies(key).map(Arc::new);
                        asked.push((kind, answer.clone()));
                        answer
                    }
                    None => None,
                };
                known.push((key, answer));
            }
            let looked = known.par_iter().filter_map(|(key, entropies)| {
                let finding = key.detector.find(&ids, entropies.as_ref().map(|known| known.as_slice()))?;
                let unweighted = entropies.is_none() && key.detector.needs() != Entropy::None;
                let (first, last) = (tokens.get(finding.tokens.start)?, tokens.get(finding.tokens.end - 1)?);
                Some(Found { key, bytes: first.start..last.end, unweighted, finding })
            });
            found.extend(looked.collect::<Vec<_>>());
        }
        found
    }
}

/// Whether the tokenizer of a key is here and can be read.
///
/// # Errors
/// What is wrong with it.
pub fn check_tokenizer(entry: &Entry) -> Result<(), WatermarkError> {
    let checked = tokenizer(&entry.tokenizer).map(drop);
    checked.map_err(|source| WatermarkError { key: entry.name.clone(), source })
}

/// Reads a tokenizer; `None` is the loaded model's.
fn tokenizer(spec: &TokenizerSpec) -> Result<Option<TextTokenizer>, Problem> {
    match spec {
        TokenizerSpec::Loaded => Ok(None),
        TokenizerSpec::File(path) => {
            let wrong = |reason: String| Problem::File { path: path.display().to_string(), reason };
            TextTokenizer::from_json(path).map(Some).map_err(wrong)
        }
        TokenizerSpec::Model(name) => {
            let registry = Registry::builtin()?;
            let entry = registry.find(name)?;
            let paths = Paths::from_env().map_err(|_| Problem::NotPulled(name.clone()))?;
            let stored = store::stored(&paths, entry).ok_or_else(|| Problem::NotPulled(name.clone()))?;
            Ok(Some(TextTokenizer::read(&Gguf::open(&stored.path)?)?))
        }
    }
}

/// Where the user's key file is.
#[must_use]
pub fn path(paths: &Paths) -> PathBuf {
    paths.config.join(file::FILE)
}
