//! Joins the files of the scam taxonomy to one of JSON, so that the program reads no TOML when it starts.

use std::path::{Path, PathBuf};

const FOLDER: &str = "src/scam/taxonomy";

/// What is known of links, under one name in the program.
const LINKS: [&str; 4] = ["brand", "shorteners", "odd_tlds", "second_level"];

/// What only people need: it would travel to every browser otherwise.
const FOR_PEOPLE: &[&str] = &["sources", "source", "checked"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={FOLDER}");
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(FOLDER)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    let mut joined = toml::Table::new();
    for path in &files {
        println!("cargo::rerun-if-changed={}", path.display());
        let text = std::fs::read_to_string(path)?;
        let table: toml::Table =
            text.parse().map_err(|error| format!("{} is no TOML: {error}", path.display()))?;
        for (name, value) in table {
            join(&mut joined, name, value, path)?;
        }
    }
    joined.remove("source");
    let links: toml::Table = LINKS.iter().filter_map(|name| joined.remove_entry(*name)).collect();
    joined.insert("links".to_owned(), toml::Value::Table(links));
    let joined = serde_json::to_string(&without(toml::Value::Table(joined)))?;
    let out = std::env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?;
    std::fs::write(Path::new(&out).join("taxonomy.json"), joined)?;
    Ok(())
}

/// Lists of one name in several files are one list.
fn join(joined: &mut toml::Table, name: String, value: toml::Value, path: &Path) -> Result<(), String> {
    match (joined.get_mut(&name), value) {
        (None, value) => {
            joined.insert(name, value);
        }
        (Some(toml::Value::Array(had)), toml::Value::Array(more)) => had.extend(more),
        _ => return Err(format!("{}: `{name}` stands in another file too, and is no list", path.display())),
    }
    Ok(())
}

fn without(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Table(table) => toml::Value::Table(
            table
                .into_iter()
                .filter(|(name, _)| !FOR_PEOPLE.contains(&name.as_str()))
                .map(|(name, value)| (name, without(value)))
                .collect(),
        ),
        toml::Value::Array(list) => toml::Value::Array(list.into_iter().map(without).collect()),
        other => other,
    }
}
