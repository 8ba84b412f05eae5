//! What was trained, and calibrations: those that come with the program, and those of files.

use super::{Adapter, EngineError};
use crate::model::trained::{Kind, Reader, Trained};
use bonafide_core::calibration::{Calibration, ModelRef};
use std::path::Path;

/// Calibrations that come with the program; each names the model file that it fits.
const CALIBRATIONS: &[&str] = &[
    include_str!("../../calibration/smollm2-135m.json"),
    include_str!("../../calibration/smollm2-135m.detector.json"),
];

/// Probes that come with the program; each names the model file that it reads.
const PROBES: &[&[u8]] = &[include_bytes!("../../calibration/smollm2-135m.detector.safetensors")];

pub(super) fn calibration_from(
    path: &Path,
    sha256: &str,
    reader: Option<&Reader>,
) -> Result<Calibration, EngineError> {
    let wrong = |reason: String| EngineError::Calibration { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let calibration = parse_calibration(&text).map_err(wrong)?;
    if !calibration.fits(sha256) {
        return Err(wrong("it was made for another model; make one with `bonafide calibrate`".to_owned()));
    }
    match (&calibration.probe, reader) {
        (Some(wanted), given) if given.map(|reader| &reader.id) != Some(wanted) => Err(wrong(
            "it was made with another probe or adapter: give that one with --adapter, or make a calibration with this one \
             by `bonafide calibrate --adapter`"
                .to_owned(),
        )),
        // A probe leaves the statistics as they are, an adapter does not.
        (None, Some(reader)) if reader.kind == Kind::Lora => Err(wrong(
            "it was made without the adapter, which changes what the model says of a text: make one with it by \
             `bonafide calibrate --adapter`"
                .to_owned(),
        )),
        _ => Ok(calibration),
    }
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

pub(super) fn probe(sha256: &str) -> Result<Option<Trained>, EngineError> {
    for bytes in PROBES {
        let probe = Trained::read(bytes).map_err(|reason| wrong(&Adapter::BuiltIn, reason))?;
        if probe.fits(sha256) {
            return Ok(Some(probe));
        }
    }
    Ok(None)
}

pub(super) fn calibration(sha256: &str, probe: Option<&str>) -> Result<Option<Calibration>, EngineError> {
    let text = named().find(|(named, _)| named.model.sha256 == sha256 && named.probe.as_deref() == probe);
    let calibration = text.map(|(_, text)| parse_calibration(text)).transpose();
    calibration
        .map_err(|reason| EngineError::Calibration { path: "built into the program".to_owned(), reason })
}

/// What tells one built-in calibration from another: the tables are skipped, not read.
#[derive(serde::Deserialize)]
struct Named {
    version: String,
    model: ModelRef,
    probe: Option<String>,
}

fn named() -> impl Iterator<Item = (Named, &'static str)> {
    CALIBRATIONS.iter().filter_map(|text| Some((serde_json::from_str(text).ok()?, *text)))
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
