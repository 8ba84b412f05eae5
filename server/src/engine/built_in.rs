//! What was trained, and calibrations: those that come with the program, and those of files.

use super::{Adapter, EngineError, Lens};
use crate::model::opinion::ChatProbe;
use crate::model::trained::{Kind, Reader, Trained};
use bonafide_core::calibration::{Calibration, ModelRef};
use std::path::Path;

/// Calibrations that come with the program; each names the model file that it fits.
const CALIBRATIONS: &[&str] = &[
    include_str!("../../calibration/smollm2-135m.json"),
    include_str!("../../calibration/smollm2-135m.detector.json"),
    include_str!("../../calibration/smollm2-135m.detector-zh.json"),
];

/// Probes that come with the program; each names the model file that it reads.
const PROBES: &[&[u8]] = &[
    include_bytes!("../../calibration/smollm2-135m.detector.safetensors"),
    include_bytes!("../../calibration/smollm2-135m.detector-zh.safetensors"),
];

/// Probes of chats that come with the program; each names the model file that it reads.
const CHAT_PROBES: &[&[u8]] = &[
    include_bytes!("../../calibration/smollm2-135m.chats-en.safetensors"),
    include_bytes!("../../calibration/smollm2-135m.chats-zh.safetensors"),
];

/// The calibration of a file, with the one of the readers that it was made with.
pub(super) fn lens_from(
    path: &Path,
    sha256: &str,
    readers: impl Iterator<Item = Option<Reader>>,
) -> Result<Lens, EngineError> {
    let wrong = |reason: &str| EngineError::Calibration {
        path: path.display().to_string(),
        reason: reason.to_owned(),
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    let calibration = parse_calibration(&text).map_err(|reason| wrong(&reason))?;
    if !calibration.fits(sha256) {
        return Err(wrong("it was made for another model; make one with `bonafide calibrate`"));
    }
    let readers: Vec<Reader> = readers.flatten().collect();
    let reader = match &calibration.probe {
        Some(wanted) => Some(readers.into_iter().find(|reader| reader.id == *wanted).ok_or_else(|| {
            wrong(
                "it was made with another probe or adapter: give that one with --adapter, or make a calibration with this \
                 one by `bonafide calibrate --adapter`",
            )
        })?),
        // A probe leaves the statistics as they are, an adapter does not.
        None if readers.iter().any(|reader| reader.kind == Kind::Lora) => {
            return Err(wrong(
                "it was made without the adapter, which changes what the model says of a text: make one with it by \
                 `bonafide calibrate --adapter`",
            ));
        }
        None => readers.into_iter().next(),
    };
    Ok(Lens { reader, calibration: Some(calibration) })
}

/// What can't be used, and why.
pub(super) fn wrong(which: &Adapter, reason: String) -> EngineError {
    let path = match which {
        Adapter::File(path) => path.display().to_string(),
        Adapter::BuiltIn | Adapter::None => "built into the program".to_owned(),
    };
    EngineError::Adapter { path, reason }
}

pub(super) fn trained_from(path: &Path, sha256: &str) -> Result<Trained, EngineError> {
    let wrong = |reason: String| EngineError::Adapter { path: path.display().to_string(), reason };
    let trained = Trained::open(path).map_err(wrong)?;
    if trained.fits(sha256) {
        return Ok(trained);
    }
    Err(wrong(
        "it was trained for another model: name that one with --model, or train one for this model with \
         `bonafide train detector`"
            .to_owned(),
    ))
}

pub(super) fn probes(sha256: &str) -> Result<Vec<Trained>, EngineError> {
    let read = |bytes: &&[u8]| Trained::read(bytes).map_err(|reason| wrong(&Adapter::BuiltIn, reason));
    PROBES.iter().map(read).filter(|probe| probe.as_ref().map_or(true, |probe| probe.fits(sha256))).collect()
}

pub(super) fn chat_probes(sha256: &str) -> Result<Vec<ChatProbe>, EngineError> {
    let read = |bytes: &&[u8]| ChatProbe::read(bytes).map_err(|reason| wrong(&Adapter::BuiltIn, reason));
    let fits = |probe: &ChatProbe| probe.reader.probe.fits(sha256);
    CHAT_PROBES.iter().map(read).filter(|probe| probe.as_ref().map_or(true, fits)).collect()
}

/// Each reader with the built-in calibrations that were made with it; one without a calibration if there is none for any.
pub(super) fn lenses(
    sha256: &str,
    readers: impl Iterator<Item = Option<Reader>>,
) -> Result<Vec<Lens>, EngineError> {
    let known: Vec<(Named, &str)> = named().filter(|(named, _)| named.model.sha256 == sha256).collect();
    let readers: Vec<Option<Reader>> = readers.collect();
    let mut lenses = Vec::new();
    for reader in &readers {
        let id = reader.as_ref().map(|reader| reader.id.as_str());
        for (_, text) in known.iter().filter(|(named, _)| named.probe.as_deref() == id) {
            let calibration = parse_calibration(text).map_err(|reason| EngineError::Calibration {
                path: "built into the program".to_owned(),
                reason,
            })?;
            lenses.push(Lens { reader: reader.clone(), calibration: Some(calibration) });
        }
    }
    if lenses.is_empty() {
        lenses.push(Lens { reader: readers.into_iter().next().flatten(), calibration: None });
    }
    Ok(lenses)
}

/// What tells one built-in calibration from another: the tables are skipped, not read.
#[derive(serde::Deserialize)]
struct Named {
    version: String,
    model: ModelRef,
    probe: Option<String>,
    languages: Vec<String>,
}

fn named() -> impl Iterator<Item = (Named, &'static str)> {
    CALIBRATIONS.iter().filter_map(|text| Some((serde_json::from_str(text).ok()?, *text)))
}

/// Whether a built-in probe was made for one of these languages.
pub(super) fn is_for(probe: &str, languages: &[String]) -> bool {
    named().any(|(named, _)| {
        named.probe.as_deref() == Some(probe) && named.languages.iter().any(|own| languages.contains(own))
    })
}

/// Names of the calibrations that come with the program.
#[must_use]
pub fn calibrations() -> Vec<String> {
    // Every start of the command line asks.
    named().map(|(named, _)| named.version).collect()
}

fn parse_calibration(text: &str) -> Result<Calibration, String> {
    let calibration: Calibration = serde_json::from_str(text).map_err(|error| error.to_string())?;
    calibration.validate().map_err(|error| error.to_string())?;
    Ok(calibration)
}
