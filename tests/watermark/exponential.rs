//! Exponential sampling: MarkLLM's, three_bricks', and the one with edits.

use super::{cases, fixture, flags, ids, ids_of, number, rows, same};
use bonafide_core::watermark::edit::EditReader;
use bonafide_core::watermark::exponential::all_numbers;
use bonafide_core::watermark::kgw::KgwReader;
use bonafide_core::watermark::scheme::{Exp, ExpEdit, Flavour, Kgw, Seeding, Weighting};
use bonafide_core::watermark::tail;

fn surprises(r: &[u32]) -> f64 {
    r.iter().map(|r| -(-f64::from(*r) / 16_777_216.0).ln_1p()).sum()
}

#[test]
fn numbers_are_those_of_markllm() {
    let all = fixture("exp_markllm");
    for case in cases(&all) {
        let config = &case["config"];
        let exp = Exp {
            vocabulary: config["vocab_size"].as_u64().unwrap() as u32,
            width: config["prefix_length"].as_u64().unwrap() as usize,
            key: config["hash_key"].as_u64().unwrap(),
            flavour: Flavour::MarkLlm,
        };
        for row in rows(case) {
            let drawn = all_numbers(&exp, &ids_of(&all, row));
            assert_eq!(drawn[0].at as u64, row["first_scored"].as_u64().unwrap());
            let own: Vec<u32> = drawn.iter().map(|drawn| (drawn.r * 16_777_216.0) as u32).collect();
            assert_eq!(own, ids(&row["r24"]), "{config} {}", row["source"]);
            same(surprises(&own), number(&row["score_f64"]), 1e-9);
            let p = tail::gamma(own.len() as u64, surprises(&own));
            same(p, number(&row["p_from_score_f64"]), 1e-9);
        }
    }
}

#[test]
fn numbers_are_those_of_three_bricks() {
    let all = fixture("exp_three_bricks");
    for case in cases(&all) {
        let config = &case["config"];
        let exp = Exp {
            vocabulary: config["vocab_size"].as_u64().unwrap() as u32,
            width: config["ngram"].as_u64().unwrap() as usize,
            key: config["seed"].as_u64().unwrap(),
            flavour: Flavour::ThreeBricks,
        };
        for row in rows(case) {
            let drawn = all_numbers(&exp, &ids_of(&all, row));
            assert_eq!(drawn[0].at as u64, row["first_scored"].as_u64().unwrap());
            let own: Vec<u32> = drawn.iter().map(|drawn| (drawn.r * 16_777_216.0) as u32).collect();
            assert_eq!(own, ids(&row["r24"]), "{config} {}", row["source"]);
            same(tail::gamma(own.len() as u64, surprises(&own)), number(&row["none"]["p_f64"]), 1e-6);
        }
    }
}

#[test]
fn green_lists_are_those_of_three_bricks() {
    let all = fixture("three_bricks_maryland");
    for case in cases(&all) {
        let config = &case["config"];
        let reader = KgwReader::new(&Kgw {
            vocabulary: config["vocab_size"].as_u64().unwrap() as u32,
            gamma: number(&config["gamma"]),
            key: config["seed"].as_u64().unwrap(),
            seeding: Seeding::Fold(config["ngram"].as_u64().unwrap() as usize),
            flavour: Flavour::ThreeBricks,
            last: false,
            weighting: Weighting::Plain,
        });
        for row in rows(case) {
            let own = reader.flags(&ids_of(&all, row));
            assert_eq!(flags(own.iter().map(|flag| flag.green)), row["green"].as_str().unwrap());
            let green = own.iter().filter(|flag| flag.green).count() as u64;
            let p = tail::binomial(green, own.len() as u64, number(&config["gamma"]));
            same(p, number(&row["none"]["p"]), 1e-6);
        }
    }
}

#[test]
fn edit_costs_are_those_of_markllm() {
    let all = fixture("exp_edit");
    let (mut compared, mut heads) = (0, 0);
    for case in cases(&all) {
        let config = &case["config"];
        let reader = EditReader::new(&ExpEdit {
            vocabulary: config["vocab_size"].as_u64().unwrap() as u32,
            length: config["pseudo_length"].as_u64().unwrap() as usize,
            key: config["key"].as_u64().unwrap() as u32,
            bits: 32,
        });
        heads += usize::from(case["xi_row0_first8"].is_array());
        for (token, xi) in case["xi_row0_first8"].as_array().into_iter().flatten().enumerate() {
            assert_eq!(reader.number(0, token as u32) as f32, xi.as_f64().unwrap() as f32);
        }
        for row in rows(case) {
            let own = reader.cost(&ids(&row["ids"]));
            same(f64::from(own), number(&row["statistic"]), 1e-4);
            compared += 1;
        }
    }
    assert!(compared > 4 && heads > 0);
    let large = EditReader::new(&ExpEdit { vocabulary: 49_152, length: 256, key: 42, bits: 32 });
    for value in all["xi_42_256_49152"]["values"].as_array().unwrap().iter().take(3) {
        let place = value["row"].as_u64().unwrap() as usize;
        let own = large.number(place, value["token"].as_u64().unwrap() as u32);
        assert_eq!(own as f32, value["xi"].as_f64().unwrap() as f32);
    }
}
