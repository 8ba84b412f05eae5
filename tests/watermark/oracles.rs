//! Whole texts that the reference library marked: counts and g-values exactly, z to 1e-9, under every key.
//!
//! A few of them are fixtures; all of them are compared where they lie beside the repository.

use super::{ids, number, same};
use bonafide_core::watermark::kgw::KgwReader;
use bonafide_core::watermark::scheme::{Flavour, Kgw, Seeding, SynthId, Weighting};
use bonafide_core::watermark::synthid::SynthIdReader;
use serde_json::Value;
use std::path::Path;

/// The keys of SynthID's default configuration in transformers.
pub(crate) const SYNTHID_KEYS: [u64; 30] = [
    654, 400, 836, 123, 340, 443, 597, 160, 57, 29, 590, 639, 13, 715, 468, 990, 966, 226, 324, 585, 118,
    504, 421, 521, 129, 669, 732, 225, 90, 960,
];

struct Readers {
    kgw: Vec<(&'static str, KgwReader)>,
    synthid: SynthIdReader,
}

fn readers() -> Readers {
    let kgw = |gamma, key, seeding| {
        KgwReader::new(&Kgw {
            vocabulary: 49_152,
            gamma,
            key,
            seeding,
            flavour: Flavour::Transformers,
            last: false,
            weighting: Weighting::Plain,
        })
    };
    Readers {
        kgw: vec![
            ("kgw_lefthash_g25_b25", kgw(0.25, 15_485_863, Seeding::LeftHash)),
            ("kgw_lefthash_g50_b20_key2", kgw(0.5, 987_654_321, Seeding::LeftHash)),
            ("kgw_selfhash_g25_b25", kgw(0.25, 15_485_863, Seeding::SelfHash(4))),
        ],
        synthid: SynthIdReader::new(&SynthId {
            keys: SYNTHID_KEYS.to_vec(),
            ngram: 5,
            flavour: Flavour::Transformers,
            table_seed: 0,
            history: 1024,
        }),
    }
}

fn compare(lines: &str, readers: &Readers) -> usize {
    let mut compared = 0;
    for line in lines.lines() {
        let text: Value = serde_json::from_str(line).unwrap();
        let ids = ids(&text["token_ids"]);
        let detectors = &text["detectors"];
        for (name, reader) in &readers.kgw {
            for (unique, name) in [(false, (*name).to_owned()), (true, format!("{name}/unique"))] {
                let (own, reference) = (reader.count(&ids, unique), &detectors[&name]);
                assert_eq!(own.scored as u64, reference["n"].as_u64().unwrap(), "{name}");
                assert_eq!(own.green as u64, reference["green"].as_u64().unwrap(), "{name}");
                same(own.z, number(&reference["z"]), 1e-9);
            }
        }
        let (own, reference) = (readers.synthid.means(&ids), &detectors["synthid_n5_d30"]);
        assert_eq!(own.scored as u64, reference["n"].as_u64().unwrap());
        same(own.mean, number(&reference["mean"]), 1e-12);
        same(own.weighted, number(&reference["weighted_mean"]), 1e-12);
        for (ngram, g) in ids.windows(5).zip(reference["g_first3"].as_array().unwrap()) {
            let bits = readers.synthid.g_values(ngram);
            let own: Vec<u64> = (0..30).map(|layer| bits >> layer & 1).collect();
            let g: Vec<u64> = g.as_array().unwrap().iter().map(|g| g.as_u64().unwrap()).collect();
            assert_eq!(own, g);
        }
        compared += 1;
    }
    compared
}

#[test]
fn marked_texts_are_counted_as_the_reference_counts_them() {
    assert_eq!(compare(include_str!("fixtures/oracle.jsonl"), &readers()), 10);
}

#[test]
fn all_marked_texts_are_counted_so() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/oracles/watermark");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: the oracles {} are not here", folder.display());
        return;
    };
    let readers = readers();
    let compared: usize =
        files.map(|file| compare(&std::fs::read_to_string(file.unwrap().path()).unwrap(), &readers)).sum();
    assert!(compared >= 120, "{compared}");
}
