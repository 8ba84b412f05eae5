//! SynthID-Text in both flavours.

use super::{cases, fixture, flags, ids_of, number, rows, same};
use bonafide_core::watermark::scheme::{Flavour, SynthId};
use bonafide_core::watermark::synthid::SynthIdReader;
use serde_json::Value;

fn reader(config: &Value, flavour: Flavour) -> SynthIdReader {
    let whole = |name: &str, default: u64| config.get(name).map_or(default, |value| value.as_u64().unwrap());
    SynthIdReader::new(&SynthId {
        keys: config["keys"].as_array().unwrap().iter().map(|key| key.as_u64().unwrap()).collect(),
        ngram: whole("ngram_len", 5) as usize,
        flavour,
        table_seed: whole("sampling_table_seed", 0) as u32,
        history: whole("context_history_size", 1024) as usize,
    })
}

fn compare(name: &str, flavour: Flavour) {
    let all = fixture(name);
    let (mut compared, mut whole) = (0, 0);
    for case in cases(&all) {
        let config = &case["config"];
        if config.get("sampling_table_size").is_some_and(|size| size != 65_536) {
            continue;
        }
        let reader = reader(config, flavour);
        for row in rows(case) {
            let ids = ids_of(&all, row);
            let ngram = config["ngram_len"].as_u64().unwrap() as usize;
            let layers = config["keys"].as_array().unwrap().len();
            if let Some(g) = row["g"].as_array() {
                for (at, (own, reference)) in ids.windows(ngram).zip(g).enumerate() {
                    let bits = reader.g_values(own);
                    let own = flags((0..layers).map(|layer| bits >> layer & 1 == 1));
                    assert_eq!(own, reference.as_str().unwrap(), "{config} token {at}");
                }
            }
            let means = reader.means(&ids);
            assert_eq!(means.scored as u64, row["n"].as_u64().unwrap(), "{config} {}", row["source"]);
            same(means.mean, number(&row["mean"]), 1e-12);
            same(means.weighted, number(&row["weighted_mean"]), 1e-12);
            let tokens = reader.tokens(&ids);
            assert!(tokens.len() <= means.scored);
            if tokens.len() == means.scored {
                whole += 1;
                // The sums that the fast way looks up are those of the g-values.
                let sums: u64 = tokens.iter().map(|token| u64::from(token.sum)).sum();
                same(sums as f64 / (means.scored as f64 * f64::from(reader.unit())), means.weighted, 1e-12);
            }
            compared += 1;
        }
    }
    assert!(compared > 4 && whole > 2, "{compared} {whole}");
}

#[test]
fn g_values_are_those_of_transformers() {
    compare("synthid_transformers", Flavour::Transformers);
}

#[test]
fn g_values_are_those_of_deepmind() {
    compare("synthid_deepmind2025", Flavour::Original);
}
