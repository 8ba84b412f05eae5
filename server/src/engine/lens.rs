//! What reads the texts of each language.

use super::{Engine, EngineError, Packed, Window, scored, shares};
use crate::model::trained::Reader;
use bonafide_core::calibration::Calibration;
use bonafide_core::text::language;
use bonafide_kernels::backend::{BackendError, PackedBatch, TokenStats};
use bonafide_kernels::taps::Taps;

/// What reads the texts of some languages: a probe and the calibration that was made with it.
pub(super) struct Lens {
    pub reader: Option<Reader>,
    pub calibration: Option<Calibration>,
}

impl Engine {
    /// Which lens reads a text: the first whose calibration has seen its language.
    pub(super) fn lens(&self, text: &str) -> usize {
        if self.lenses.len() == 1 {
            return 0;
        }
        let knows =
            |lens: &Lens, language| lens.calibration.as_ref().is_some_and(|known| known.knows(language));
        language::detect(text)
            .and_then(|language| self.lenses.iter().position(|lens| knows(lens, language)))
            .unwrap_or(0)
    }

    /// Scores windows of any plans in one packed pass for each lens; one list of statistics a window, in order.
    pub fn score_windows(&self, windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError> {
        let first = windows.first().map_or(0, |window| window.lens);
        if windows.iter().all(|window| window.lens == first) {
            return self.score_through(first, windows);
        }
        let mut scored = vec![Vec::new(); windows.len()];
        for lens in 0..self.lenses.len() + self.chat_probes.len() {
            let own: Vec<usize> = (0..windows.len()).filter(|at| windows[*at].lens == lens).collect();
            let through = own.iter().map(|at| windows[*at]).collect::<Vec<_>>();
            for (at, stats) in own.into_iter().zip(self.score_through(lens, &through)?) {
                scored[at] = stats;
            }
        }
        Ok(scored)
    }

    fn score_through(&self, lens: usize, windows: &[&Window]) -> Result<Vec<Vec<TokenStats>>, EngineError> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        let packed = Packed::new(windows);
        let of_chats = lens.checked_sub(self.lenses.len()).and_then(|at| self.chat_probes.get(at));
        let reader = match of_chats {
            Some(probe) => Some(&probe.reader),
            None => self.lenses.get(lens).and_then(|lens| lens.reader.as_ref()),
        };
        let stats = self.read(&packed.batch()?, reader)?;
        Ok(shares(&stats, windows.iter().map(|window| scored(window))))
    }

    /// One pass; what was trained reads along if there is something.
    fn read(
        &self,
        batch: &PackedBatch<'_>,
        reader: Option<&Reader>,
    ) -> Result<Vec<TokenStats>, BackendError> {
        let Some(Reader { probe, .. }) = reader else { return self.backend.score(batch) };
        let first = vec![1; batch.starts().len() - 1];
        let taps = Taps::new(&probe.depths, 1, &first)?.projected(&probe.weights);
        let (mut stats, words) = self.backend.score_tapped(batch, &taps)?;
        for (stats, word) in stats.iter_mut().zip(words) {
            stats.projection = Some(word);
        }
        Ok(stats)
    }
}
