//! What reads a chat for a second opinion: a [probe](super::probe) of one language whose mean over the chat is in log-odds.

use super::probe::Probe;
use super::trained::{Kind, Learned, Reader};
use safetensors::tensor::SafeTensors;

/// Keys of the file's metadata.
const LANGUAGE: &str = "language";
const BIAS: &str = "bias";

/// A probe that reads chats of a language.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatProbe {
    /// ISO 639-1.
    pub language: String,
    /// What is added to the probe's mean.
    pub bias: f64,
    /// What reads the hidden states.
    pub reader: Reader,
}

impl ChatProbe {
    /// Of a probe.
    #[must_use]
    pub fn new(language: &str, bias: f64, probe: Probe) -> Self {
        let reader = Reader { kind: Kind::Probe, id: probe.id(), learned: Learned::default(), probe };
        Self { language: language.to_owned(), bias, reader }
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// It is no probe of chats.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let probe = Probe::read(bytes).map_err(|error| error.to_string())?;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
        let fields = header.metadata().clone().unwrap_or_default();
        let wrong = |name: &str| {
            format!("its metadata has no good `{name}`: make a probe of chats with `bonafide train opinion`")
        };
        let language = fields.get(LANGUAGE).filter(|language| language.len() == 2);
        let bias = fields.get(BIAS).and_then(|bias| bias.parse().ok()).filter(|bias: &f64| bias.is_finite());
        Ok(Self::new(language.ok_or_else(|| wrong(LANGUAGE))?, bias.ok_or_else(|| wrong(BIAS))?, probe))
    }

    /// The same as a file; `notes` go into its metadata, for people.
    ///
    /// # Errors
    /// Those of [`Probe::write`].
    pub fn write(&self, notes: &[(&str, String)]) -> Result<Vec<u8>, super::probe::ProbeError> {
        let mut notes = notes.to_vec();
        notes.push((LANGUAGE, self.language.clone()));
        notes.push((BIAS, self.bias.to_string()));
        self.reader.probe.write(&notes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn probe() -> Probe {
        Probe { model_sha256: "ab".repeat(32), depths: vec![3], weights: vec![0.5, -1.0] }
    }

    #[test]
    fn what_is_written_is_read() {
        let own = ChatProbe::new("zh", -0.25, probe());
        let bytes = own.write(&[("data", "tuned".to_owned())]).unwrap();
        assert_eq!(ChatProbe::read(&bytes).unwrap(), own);
    }

    #[test]
    fn a_probe_of_texts_is_none_of_chats() {
        let said = ChatProbe::read(&probe().write(&[]).unwrap()).unwrap_err();
        assert!(said.contains("language") && said.contains("train opinion"), "{said}");
        let nan = ChatProbe::new("en", f64::NAN, probe()).write(&[]).unwrap();
        assert!(ChatProbe::read(&nan).unwrap_err().contains("bias"));
        assert!(ChatProbe::read(b"no").is_err());
    }
}
