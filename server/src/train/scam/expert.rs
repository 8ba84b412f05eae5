//! Who judges, and how the judges are brought to one scale.

use super::head;
use super::ready::{Ready, folds};
use super::run::Options;
use super::threshold::threshold;
use bonafide_core::scam;
use bonafide_core::scam::judge::longer;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What all other honest conversations together weigh for the expert of chats, as a share of the chats.
const OTHERS: f64 = 1.0;
/// How sure the assumed weights of the expert of chats are, as a number of chats.
const SURENESS_OF_CHATS: f64 = 30.0;
/// Turns from which on it has a say.
const FROM_TURN: usize = 5;
/// How much less the other says for each e-fold of turns beyond twelve, the length of a call.
const FADE: f64 = 3.0;
/// Log-odds of an expert that has no say.
const LOWEST: f64 = -1e3;
/// Shares of honest conversations above two points of the experts' common scale.
const COMMON: [f64; 2] = [0.1, 0.01];

/// Who judges: one for scams that come to the point, one for those that take days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expert {
    Direct,
    Slow,
}

impl Expert {
    const ALL: [Self; 2] = [Self::Direct, Self::Slow];

    fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Slow => "slow",
        }
    }

    fn first_turn(self) -> usize {
        match self {
            Self::Direct => 1,
            Self::Slow => FROM_TURN,
        }
    }

    fn fade(self) -> f64 {
        match self {
            Self::Direct => FADE,
            Self::Slow => 0.0,
        }
    }

    /// Whether it is calibrated on such conversations.
    fn is_own(self, ready: &Ready) -> bool {
        ready.chat == (self == Self::Slow)
    }

    fn has_own(self, ready: &[Ready]) -> bool {
        [true, false]
            .into_iter()
            .all(|scam| ready.iter().any(|one| self.is_own(one) && one.talk.scam == scam))
    }

    fn options(self, options: &Options) -> head::Options {
        match self {
            Self::Direct => options.head,
            Self::Slow => head::Options { sureness: SURENESS_OF_CHATS, ..options.head },
        }
    }

    /// What it learns from: the slow one also from what else honest people say.
    fn rows<'r>(
        self,
        ready: &[Ready],
        rows: &'r [Vec<head::Row>],
        wanted: &(dyn Fn(&Ready) -> bool + Sync),
    ) -> Vec<head::Weighted<'r>> {
        let chosen: Vec<(&Ready, &Vec<head::Row>)> =
            ready.iter().zip(rows).filter(|(ready, _)| wanted(ready)).collect();
        let own: Vec<_> = chosen.iter().filter(|(ready, _)| self.is_own(ready)).collect();
        let mut weighted: Vec<(f64, &Vec<head::Row>)> = Vec::new();
        match self {
            Self::Direct => weighted.extend(own.iter().map(|(ready, rows)| (ready.weight, *rows))),
            Self::Slow => {
                weighted.extend(own.iter().map(|(_, rows)| (1.0, *rows)));
                let others: Vec<_> = chosen.iter().filter(|(ready, _)| ready.is_other_honest()).collect();
                let all: f64 = others.iter().map(|(ready, _)| ready.weight).sum();
                let each = OTHERS * own.len() as f64 / all;
                weighted.extend(others.iter().map(|(ready, rows)| (each * ready.weight, *rows)));
            }
        }
        let each = |(weight, rows): (f64, &'r Vec<head::Row>)| {
            rows.iter().map(move |row| (row, weight * f64::from(row.share)))
        };
        weighted.into_iter().flat_map(each).collect()
    }
}

/// An expert that has learned, and the slope and offset that make its sums into log-odds.
struct Member {
    expert: Expert,
    fitted: head::Fitted,
    scale: [f64; 2],
}

impl Member {
    /// What the expert says before calibration; one that has no say yet says that nothing is the matter.
    fn sum(expert: Expert, fitted: &head::Fitted, row: &head::Row) -> f64 {
        if row.turns < expert.first_turn() {
            LOWEST
        } else {
            fitted.of(row) - expert.fade() * longer(row.turns)
        }
    }
}

/// All experts, on one scale.
#[derive(Default)]
pub(super) struct Panel {
    members: Vec<Member>,
    names: Vec<String>,
}

/// What each expert says at some turns of a conversation.
pub(super) type Sums = Vec<Vec<f64>>;

impl Panel {
    /// Fits the experts, of which the first knows the first names. Their scale rests on what they say of conversations that
    /// they have not seen; these sums come back too.
    pub(super) fn fit(
        names: [Vec<head::Name>; 2],
        ready: &[Ready],
        rows: &[Vec<head::Row>],
        options: &Options,
    ) -> (Self, Vec<Sums>) {
        let experts: Vec<(Expert, &[head::Name])> = Expert::ALL
            .into_iter()
            .zip(names.iter().map(Vec::as_slice))
            .filter(|(expert, _)| expert.has_own(ready))
            .collect();
        let fit = |wanted: &(dyn Fn(&Ready) -> bool + Sync)| -> Vec<head::Fitted> {
            let each = experts.iter().map(|(expert, names)| {
                head::fit(names, &expert.rows(ready, rows, wanted), &expert.options(options))
            });
            each.collect()
        };
        let folds = folds(ready);
        let without: BTreeMap<&Arc<str>, Vec<head::Fitted>> =
            folds.par_iter().map(|fold| (fold, fit(&|ready| ready.fold != *fold))).collect();
        let sums = |at: usize, row: &head::Row| -> Vec<f64> {
            let fitted = &without[&ready[at].fold];
            experts
                .iter()
                .zip(fitted)
                .map(|((expert, _), fitted)| Member::sum(*expert, fitted, row))
                .collect()
        };
        let sums: Vec<Sums> =
            (0..ready.len()).map(|at| rows[at].iter().map(|row| sums(at, row)).collect()).collect();
        let scales = common_scale(ready, &sums);
        let members = experts.iter().zip(fit(&|_| true)).zip(scales);
        let members = members.map(|(((expert, _), fitted), scale)| Member { expert: *expert, fitted, scale });
        let names = names[0].iter().map(|name| name.name.clone()).collect();
        (Self { members: members.collect(), names }, sums)
    }

    /// What each expert says.
    pub(super) fn sums(&self, row: &head::Row) -> Vec<f64> {
        self.members.iter().map(|member| Member::sum(member.expert, &member.fitted, row)).collect()
    }

    /// The probability that the loudest gives.
    pub(super) fn probability(&self, sums: &[f64]) -> f64 {
        let said = loudest(sums, self.members.iter().map(|member| member.scale));
        1.0 / (1.0 + (-said).exp())
    }

    /// As a model has them.
    pub(super) fn experts(&self) -> Vec<scam::Expert> {
        let each = self.members.iter().map(|Member { expert, fitted, scale }| scam::Expert {
            name: expert.name().to_owned(),
            first_turn: expert.first_turn(),
            fade: expert.fade(),
            bias: fitted.bias,
            weights: self.names.iter().cloned().zip(fitted.weights.iter().copied()).collect(),
            calibration: *scale,
        });
        each.collect()
    }
}

fn loudest(sums: &[f64], scales: impl Iterator<Item = [f64; 2]>) -> f64 {
    sums.iter().zip(scales).map(|(sum, [slope, offset])| slope * sum + offset).fold(f64::MIN, f64::max)
}

/// Slope and offset for each expert. First the sums of each are brought to one scale, on which two shares of honest conversations
/// lie at 0 and at 1, so that none cries louder than another; then the largest is made into log-odds that can be believed, on
/// conversations: a single message is often too little to tell.
fn common_scale(ready: &[Ready], sums: &[Sums]) -> Vec<[f64; 2]> {
    let highest = |sums: &Sums| -> Vec<f64> {
        let larger = |one: Vec<f64>, other: &Vec<f64>| {
            one.iter().zip(other).map(|(one, other)| one.max(*other)).collect()
        };
        sums.iter().skip(1).fold(sums.first().cloned().unwrap_or_default(), larger)
    };
    let sure: Vec<(&Ready, Vec<f64>)> = ready
        .iter()
        .zip(sums)
        .filter(|(ready, _)| !ready.is_ambiguous())
        .map(|(ready, sums)| (ready, highest(sums)))
        .collect();
    let experts = sure.first().map_or(0, |(_, sums)| sums.len());
    let scales: Vec<[f64; 2]> = (0..experts)
        .map(|expert| {
            let honest = sure.iter().filter(|(ready, _)| !ready.talk.scam);
            let honest: Vec<(&str, f64)> =
                honest.map(|(ready, sums)| (&*ready.talk.source, sums[expert])).collect();
            let [zero, one] = COMMON.map(|share| threshold(&honest, share));
            let slope = 1.0 / (one - zero).max(1e-3);
            [slope, -slope * zero]
        })
        .collect();
    let talks: Vec<_> = sure.iter().filter(|(ready, _)| !ready.talk.message).collect();
    let talks: Vec<_> = if talks.is_empty() { sure.iter().collect() } else { talks };
    let mut sizes: BTreeMap<(&str, bool), f64> = BTreeMap::new();
    let mut totals = [0.0_f64; 2];
    for (ready, _) in &talks {
        *sizes.entry((&ready.talk.source, ready.talk.scam)).or_default() += 1.0;
    }
    for ((_, scam), size) in &sizes {
        totals[usize::from(*scam)] += size.sqrt();
    }
    let weighted = talks.iter().map(|(ready, sums)| {
        let size = sizes[&(&*ready.talk.source, ready.talk.scam)];
        let weight = 1000.0 / size.sqrt() / totals[usize::from(ready.talk.scam)];
        (loudest(sums, scales.iter().copied()), ready.talk.scam, weight)
    });
    let [slope, offset] = head::calibrate(&weighted.collect::<Vec<_>>());
    let rounded = |number: f64| (number * 1e6).round() / 1e6;
    scales.iter().map(|[by, from]| [rounded(slope * by), rounded(slope * from + offset)]).collect()
}
