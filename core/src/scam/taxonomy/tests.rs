#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::scam::text::Tokens;
use crate::scam::turn::Side;
use std::collections::{BTreeSet, HashMap, HashSet};

fn built_in() -> Taxonomy {
    Taxonomy::built_in().unwrap()
}

/// Whoever extends the data sees all that is wrong at once.
#[test]
fn everything_can_be_read() {
    let all = built_in();
    let mut wrong = Vec::new();
    for tactic in &all.tactics {
        let alone = Taxonomy { tactics: vec![tactic.clone()], guards: Vec::new(), ..all.clone() };
        wrong.extend(Compiled::new(alone).err());
    }
    for guard in &all.guards {
        let alone = Taxonomy { tactics: Vec::new(), guards: vec![guard.clone()], ..all.clone() };
        wrong.extend(Compiled::new(alone).err());
    }
    wrong.extend(Compiled::new(all).err());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
