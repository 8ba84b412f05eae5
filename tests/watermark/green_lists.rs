//! KGW in all its seedings, Unigram, DIPmark, SWEET and EWD.

use super::{cases, fixture, flags, ids, ids_of, number, rows, same};
use bonafide_core::hex::hex;
use bonafide_core::watermark::detector::Detector;
use bonafide_core::watermark::dip::DipReader;
use bonafide_core::watermark::kgw::KgwReader;
use bonafide_core::watermark::scheme::{
    Dip, Flavour, Kgw, Scheme, Seeding, Unigram, Weighting, spike_entropy,
};
use bonafide_core::watermark::unigram::UnigramReader;
use serde_json::Value;
use sha2::{Digest, Sha256};

fn kgw(config: &Value, seeding: Seeding, flavour: Flavour) -> Kgw {
    let field = |names: [&str; 2]| names.iter().find_map(|name| config.get(*name));
    Kgw {
        vocabulary: config.get("vocab_size").map_or(49_152, |size| size.as_u64().unwrap() as u32),
        gamma: number(field(["gamma", "greenlist_ratio"]).unwrap()),
        key: field(["hash_key", "hashing_key"]).map_or(15_485_863, |key| key.as_u64().unwrap()),
        seeding,
        flavour,
        last: config.get("select_green_tokens").is_some_and(|first| first == false),
        weighting: Weighting::Plain,
    }
}

fn seeding(config: &Value) -> Seeding {
    match config["seeding_scheme"].as_str().unwrap() {
        "lefthash" | "simple_1" => Seeding::LeftHash,
        "selfhash" => Seeding::SelfHash(config["context_width"].as_u64().unwrap() as usize),
        "minhash" => Seeding::MinHash(4),
        "skipgram" => Seeding::SkipGram(5),
        other => panic!("{other}"),
    }
}

fn compare_kgw(all: &Value, flavour: Flavour, names: [&str; 2]) {
    for case in cases(all) {
        let seeding = seeding(&case["config"]);
        if seeding == Seeding::LeftHash && case["config"]["context_width"] != 1 {
            // The seed is that of the last token alone; only where counting begins would differ.
            continue;
        }
        let reader = KgwReader::new(&kgw(&case["config"], seeding, flavour));
        for row in rows(case) {
            let ids = ids_of(all, row);
            let own = reader.flags(&ids);
            let what = format!("{} {}", case["config"], row["source"]);
            assert_eq!(own[0].at as u64, row["first_scored"].as_u64().unwrap(), "{what}");
            assert_eq!(flags(own.iter().map(|flag| flag.green)), row["green"].as_str().unwrap(), "{what}");
            for (unique, name) in names.into_iter().enumerate() {
                let (own, reference) = (reader.count(&ids, unique == 1), &row[name]);
                assert_eq!(own.scored as u64, reference["n"].as_u64().unwrap(), "{what} {name}");
                assert_eq!(own.green as u64, reference["green"].as_u64().unwrap(), "{what} {name}");
                same(own.z, number(&reference["z"]), 1e-9);
            }
        }
    }
}

#[test]
fn kgw_is_that_of_transformers() {
    let all = fixture("kgw_transformers");
    compare_kgw(&all, Flavour::Transformers, ["all", "ignore_repeats"]);
    for large in all["lefthash_large_keys"].as_array().unwrap() {
        let key: u64 = large["hashing_key"].as_str().unwrap().parse().unwrap();
        let config = serde_json::json!({ "hashing_key": key, "greenlist_ratio": 0.25 });
        let reader = KgwReader::new(&kgw(&config, Seeding::LeftHash, Flavour::Transformers));
        let list = reader.list(&[large["previous"].as_u64().unwrap() as u32]).unwrap();
        assert_eq!(list[..5], ids(&large["first5"]), "{large}");
    }
}

#[test]
fn kgw_is_that_of_its_authors() {
    compare_kgw(&fixture("kgw_original"), Flavour::Original, ["all", "ignore_repeated_ngrams"]);
}

#[test]
fn kgw_is_that_of_markllm() {
    let all = fixture("kgw_markllm");
    let mut compared = 0;
    for case in cases(&all) {
        let config = &case["config"];
        let width = config["prefix_length"].as_u64().unwrap() as usize;
        if config["f_scheme"] != "time" {
            continue;
        }
        let reader = KgwReader::new(&kgw(config, Seeding::Permuted(width), Flavour::MarkLlm));
        for row in rows(case) {
            let own = reader.flags(&ids_of(&all, row));
            let reference = row["flags"].as_str().unwrap();
            assert_eq!(flags(own.iter().map(|flag| flag.green)), reference[width..], "{config}");
            compared += 1;
        }
    }
    assert!(compared > 2, "{compared}");
}

#[test]
fn green_lists_are_what_the_references_draw() {
    let all = fixture("kgw_transformers");
    let edge = &all["edge_V50257_g05"];
    for case in edge["cases"].as_array().unwrap() {
        let reader = KgwReader::new(&Kgw {
            vocabulary: 50_257,
            gamma: 0.5,
            key: 15_485_863,
            seeding: Seeding::LeftHash,
            flavour: Flavour::Transformers,
            last: false,
            weighting: Weighting::Plain,
        });
        let list = reader.list(&[case["previous"].as_u64().unwrap() as u32]).unwrap();
        assert_eq!(list.len() as u64, edge["greenlist_size"].as_u64().unwrap());
        assert_eq!(list[..5], ids(&case["first5"]));
        assert_eq!(u64::from(*list.last().unwrap()), case["last_green"].as_u64().unwrap());
    }
}

#[test]
fn the_best_window_is_the_references() {
    let all = fixture("kgw_winmax");
    let case = &all["cases"][0];
    assert_eq!(case["config"]["ignore_repeated_ngrams"], true);
    let scheme = Scheme::Kgw(kgw(&case["config"], seeding(&case["config"]), Flavour::Original));
    let reading = Detector::new(scheme).unwrap().reading(&ids(&all["ids"]), None).unwrap();
    assert_eq!(
        flags(reading.items.iter().map(|item| item.value > 0.5)),
        case["green_unique"].as_str().unwrap()
    );
    let (z, stretch) = reading.winmax().unwrap();
    let reference = &case["winmax"];
    same(z, number(&reference["z_f64"]), 1e-9);
    assert_eq!(stretch.len() as u64, reference["n"].as_u64().unwrap());
    assert_eq!(stretch.start as u64, reference["starts_of_best_windows"][0].as_u64().unwrap());
}

#[test]
fn unigram_is_that_of_its_authors() {
    let all = fixture("unigram");
    for case in cases(&all) {
        let config = &case["config"];
        let unigram = Unigram {
            vocabulary: config["vocab_size"].as_u64().unwrap() as u32,
            gamma: number(&config["gamma"]),
            key: config["key"].as_i64().unwrap() as u64,
        };
        let reader = UnigramReader::new(&unigram);
        let bytes: Vec<u8> = reader.mask().iter().map(|green| u8::from(*green)).collect();
        assert_eq!(flags(reader.mask().iter().copied().take(2000)), case["mask_first2000"].as_str().unwrap());
        assert_eq!(hex(&Sha256::digest(&bytes)), case["mask_sha256"].as_str().unwrap());
        let detector = Detector::new(Scheme::Unigram(unigram)).unwrap();
        for row in rows(case) {
            let ids = ids_of(&all, row);
            assert_eq!(flags(ids.iter().map(|id| reader.is_green(*id))), row["green"].as_str().unwrap());
            let unique = detector.reading(&ids, None).unwrap().items;
            assert_eq!(unique.len() as u64, row["unique_n"].as_u64().unwrap());
            let greens = unique.iter().filter(|item| item.value > 0.5).count();
            assert_eq!(greens as u64, row["unique_greens"].as_u64().unwrap());
        }
    }
}

#[test]
fn dipmark_is_that_of_markllm() {
    let all = fixture("dipmark");
    for case in cases(&all) {
        let config = &case["config"];
        let hex = all["keys"][config["key"].to_string()].as_str().unwrap();
        let key = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap());
        let width = config["prefix_length"].as_u64().unwrap() as usize;
        let dip = Dip {
            vocabulary: config["vocab_size"].as_u64().unwrap() as u32,
            gamma: number(&config["gamma"]),
            key: key.collect(),
            width,
        };
        let reader = DipReader::new(&dip);
        for row in rows(case) {
            let own = reader.tokens(&ids_of(&all, row));
            let seeds = ids(&row["seeds"]);
            let positions = ids(&row["positions"]);
            assert!(!own.is_empty());
            for placed in own {
                // The reference's lists begin with the second token.
                assert_eq!(placed.question.seed, seeds[placed.at - 1], "token {}", placed.at);
                let quantile = f64::from(positions[placed.at - 1] + 1) / f64::from(dip.vocabulary);
                assert_eq!(placed.quantile, quantile, "token {}", placed.at);
                let flags = row["new_all"]["flags"].as_str().unwrap();
                assert_eq!(flags.as_bytes()[placed.at] == b'1', placed.green, "token {}", placed.at);
            }
        }
    }
}

#[test]
fn sweet_and_ewd_are_those_of_markllm() {
    let mut compared = 0;
    for (name, spike) in [("sweet", false), ("ewd", true)] {
        let all = fixture(name);
        for case in cases(&all) {
            let config = &case["config"];
            let width = config["prefix_length"].as_u64().unwrap() as usize;
            let weighting = if spike {
                Weighting::Ewd(number(&config["delta"]))
            } else {
                Weighting::Sweet(number(&config["entropy_threshold"]))
            };
            let scheme =
                Scheme::Kgw(Kgw { weighting, ..kgw(config, Seeding::Product(width), Flavour::MarkLlm) });
            if let bonafide_core::watermark::scheme::Entropy::Spike { modulus } = scheme.needs() {
                same(modulus, number(&case["spike_modulus"]), 1e-9);
            }
            if spike {
                let example = &case["calculate_entropy_example"];
                let logits = example["logits"].as_array();
                // What the reference puts first is the token without context.
                for (at, logits) in logits.into_iter().flatten().enumerate().take(3) {
                    let logits: Vec<f32> =
                        logits.as_array().unwrap().iter().map(|logit| number(logit) as f32).collect();
                    let own = spike_entropy(&logits, number(&case["spike_modulus"]));
                    same(f64::from(own), number(&example["result"][at + 1]), 1e-6);
                }
            }
            for row in rows(case) {
                let ids = ids_of(&all, row);
                let entropies: Vec<f32> = (0..ids.len())
                    .map(|at| {
                        let sine = (at as f64).sin().abs();
                        let entropy = if spike { 0.2 + 0.75 * sine } else { 3.0 * sine };
                        if at == 0 { f32::NAN } else { entropy as f32 }
                    })
                    .collect();
                let reading = Detector::new(scheme.clone()).unwrap().reading(&ids, Some(&entropies)).unwrap();
                let flags = row["flags"].as_str().unwrap().as_bytes();
                let least = entropies[width..].iter().copied().fold(f32::INFINITY, f32::min);
                let mut seen = std::collections::HashSet::new();
                let mut items = reading.items.iter().peekable();
                for at in width..ids.len() {
                    let item = items.next_if(|item| item.at == at);
                    let new = seen.insert(&ids[at - width..=at]);
                    let counts = if spike {
                        entropies[at] > least
                    } else {
                        row["weights"].as_str().unwrap().as_bytes()[at] == b'1'
                    };
                    // Products of different tokens can be the same, and then the pair of seed and token is.
                    assert!(item.is_none() || (new && counts), "token {at} of {}", row["source"]);
                    assert!(
                        item.is_some() || !new || !counts || width > 1,
                        "token {at} of {}",
                        row["source"]
                    );
                    let Some(item) = item else { continue };
                    assert_eq!(item.value > 0.5, flags[at] == b'1', "token {at} of {}", row["source"]);
                    let weight = if spike { f64::from(entropies[at] - least) } else { 1.0 };
                    same(item.weight, weight, 1e-6);
                    compared += 1;
                }
                assert!(items.next().is_none());
            }
        }
    }
    assert!(compared > 800, "{compared}");
}
