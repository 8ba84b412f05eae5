//! Probes and calibrations: those that come with the program, and those of files.

use super::EngineError;
use crate::model::probe::Probe;
use bonafide_core::calibration::Calibration;
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
    probe: Option<&str>,
) -> Result<Calibration, EngineError> {
    let wrong = |reason: String| EngineError::Calibration { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let calibration = parse_calibration(&text).map_err(wrong)?;
    if !calibration.fits(sha256) {
        return Err(wrong("it was made for another model; make one with `bonafide calibrate`".to_owned()));
    }
    match (&calibration.probe, probe) {
        (Some(wanted), given) if given != Some(wanted) => Err(wrong(
            "it was made with another probe: give that one with --adapter, or a calibration of this one"
                .to_owned(),
        )),
        _ => Ok(calibration),
    }
}

pub(super) fn probe_from(path: &Path, sha256: &str) -> Result<Probe, EngineError> {
    let wrong = |reason: String| EngineError::Probe { path: path.display().to_string(), reason };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let probe = Probe::read(&bytes).map_err(|error| wrong(error.to_string()))?;
    if probe.fits(sha256) {
        return Ok(probe);
    }
    Err(wrong("it reads another model: train one with `bonafide train probe`".to_owned()))
}

pub(super) fn probe(sha256: &str) -> Result<Option<Probe>, EngineError> {
    let wrong = |reason: String| EngineError::Probe { path: "built into the program".to_owned(), reason };
    for bytes in PROBES {
        let probe = Probe::read(bytes).map_err(|error| wrong(error.to_string()))?;
        if probe.fits(sha256) {
            return Ok(Some(probe));
        }
    }
    Ok(None)
}

pub(super) fn calibration(sha256: &str, probe: Option<&str>) -> Result<Option<Calibration>, EngineError> {
    for text in CALIBRATIONS.iter().filter(|text| text.contains(sha256)) {
        let calibration = parse_calibration(text).map_err(|reason| EngineError::Calibration {
            path: "built into the program".to_owned(),
            reason,
        })?;
        if calibration.fits(sha256) && calibration.probe.as_deref() == probe {
            return Ok(Some(calibration));
        }
    }
    Ok(None)
}

/// Names of the calibrations that come with the program.
#[must_use]
pub fn calibrations() -> Vec<String> {
    // Every start of the command line asks: the tables are skipped, not read.
    #[derive(serde::Deserialize)]
    struct Named {
        version: String,
    }
    CALIBRATIONS
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .map(|named: Named| named.version)
        .collect()
}

fn parse_calibration(text: &str) -> Result<Calibration, String> {
    let calibration: Calibration = serde_json::from_str(text).map_err(|error| error.to_string())?;
    calibration.validate().map_err(|error| error.to_string())?;
    Ok(calibration)
}
