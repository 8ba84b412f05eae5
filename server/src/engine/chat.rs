//! Chats through the model, for a second opinion.

use super::{Engine, EngineError, Window};
use crate::model::opinion::ChatProbe;
use crate::scam::opinion::{Rising, Spoken};
use bonafide_core::text::language;
use bonafide_kernels::backend::TokenStats;

/// A chat, ready to be read by a probe of its language.
#[derive(Debug, Clone)]
pub struct ChatPlan {
    /// The windows, in order.
    pub windows: Vec<Window>,
    /// The probe's place.
    probe: usize,
    /// For each message, how many of the tokens that count are there by its end.
    ends: Vec<usize>,
}

/// The mean hidden state of a chat by the end of a message, what was said later weighing more.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    /// Messages read.
    pub messages: usize,
    /// The mean.
    pub state: Vec<f32>,
}

impl Engine {
    /// Tokenises a chat; `None` if there is no probe for its language.
    pub fn plan_chat(&self, spoken: &Spoken) -> Result<Option<ChatPlan>, EngineError> {
        let language = language::detect(&spoken.words);
        let knows = |probe: &ChatProbe| language == Some(probe.language.as_str());
        let Some(probe) = self.chat_probes.iter().position(knows) else { return Ok(None) };
        let (windows, ends) = self.cut_chat(spoken, self.lenses.len() + probe)?;
        Ok(Some(ChatPlan { windows, probe, ends }))
    }

    /// What a probe adds to the log-odds of a scam, after each message of a chat; `None` if there is no probe for its language.
    pub fn opinions_on(&self, spoken: &Spoken) -> Result<Option<Vec<f64>>, EngineError> {
        let Some(plan) = self.plan_chat(spoken)? else { return Ok(None) };
        let stats = self.score_windows(&plan.windows.iter().collect::<Vec<_>>())?;
        Ok(Some(self.opinions(&plan, &stats)))
    }

    fn cut_chat(&self, spoken: &Spoken, lens: usize) -> Result<(Vec<Window>, Vec<usize>), EngineError> {
        let tokens = self.tokenizer.encode(&spoken.text).map_err(EngineError::Tokenize)?;
        let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
        // Without a leading token the first one of the text has read nothing.
        let unread = usize::from(self.tokenizer.bos.is_none());
        let by = |end: &usize| tokens.partition_point(|token| token.end <= *end).saturating_sub(unread);
        Ok((self.windows(&ids, lens), spoken.ends.iter().map(by).collect()))
    }

    /// What the probe adds to the log-odds of a scam, after each message.
    #[must_use]
    pub fn opinions(&self, plan: &ChatPlan, stats: &[Vec<TokenStats>]) -> Vec<f64> {
        let bias = self.chat_probes.get(plan.probe).map_or(0.0, |probe| probe.bias);
        let counted =
            plan.windows.iter().zip(stats).flat_map(|(window, stats)| stats.iter().skip(window.skip));
        let mut said = counted.map(|stats| f64::from(stats.projection.unwrap_or(0.0)));
        let mut rising = Rising::default();
        let mut read = 0;
        let after = |end: &usize| {
            for word in said.by_ref().take(end.saturating_sub(read)) {
                rising.add(word);
            }
            read = read.max(*end);
            bias + rising.mean()
        };
        plan.ends.iter().map(after).collect()
    }

    /// The mean hidden states after so many layers by the end of those messages whose number, from 1, is `wanted`.
    pub fn pool_chat(
        &self,
        spoken: &Spoken,
        depth: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Vec<Pooled>, EngineError> {
        let (windows, ends) = self.cut_chat(spoken, 0)?;
        let mut pooled = Vec::new();
        let (mut sums, mut rising, mut read) = (Vec::new(), Rising::default(), 0);
        let mut open = ends.iter().enumerate().map(|(at, end)| (at + 1, *end)).peekable();
        for window in &windows {
            let Some((stats, states)) = self.score_windows_tapped(&[window], &[depth], 1)?.pop() else {
                continue;
            };
            let width = states.len().checked_div(stats.len().saturating_sub(window.skip)).unwrap_or(0);
            for state in states.chunks_exact(width.max(1)) {
                sums.resize(width, 0.0);
                let weight = rising.add(0.0);
                sums.iter_mut().zip(state).for_each(|(sum, x)| *sum += weight * f64::from(*x));
                read += 1;
                while let Some((messages, _)) = open.next_if(|(_, end)| *end <= read) {
                    if wanted(messages) {
                        let total = rising.weight();
                        let state = sums.iter().map(|sum| (sum / total) as f32).collect();
                        pooled.push(Pooled { messages, state });
                    }
                }
            }
        }
        Ok(pooled)
    }
}
