//! `bonafide model`: which models there are, pulling one, and where it is.

use super::Error;
use crate::model::progress::Terminal;
use crate::model::registry::{Entry, Registry};
use crate::model::store;
use crate::paths::Paths;
use clap::Subcommand;
use std::io::{BufRead, IsTerminal};

/// Language models: list, pull, path.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the models there are.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Pull a model into the cache folder and check it.
    Pull {
        /// Its name.
        name: String,
        /// Accept the model's own terms of use without being asked.
        #[arg(long)]
        accept_terms: bool,
    },
    /// Print where a model's file is; fails if it was not pulled.
    Path {
        /// Its name; the default model if absent.
        name: Option<String>,
    },
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    let paths = Paths::from_env()?;
    let registry = Registry::builtin()?;
    match args.command {
        Command::List { json } => list(&paths, &registry, json),
        Command::Pull { name, accept_terms } => {
            let entry = registry.find(&name)?;
            if store::stored(&paths, entry).is_none() {
                consent(&paths, entry, accept_terms)?;
            }
            let model = store::ensure(&paths, &entry.name, &mut Terminal::new())?;
            anstream::println!("{}", model.path.display());
            Ok(())
        }
        Command::Path { name } => {
            let entry = registry.find(name.as_deref().unwrap_or(&registry.default))?;
            let model = store::stored(&paths, entry).ok_or_else(|| {
                format!("the model {0} was not pulled yet; run: bonafide model pull {0}", entry.name)
            })?;
            anstream::println!("{}", model.path.display());
            Ok(())
        }
    }
}

/// Shows the terms and takes a yes, from the flag or from a person. Without either the store refuses.
fn consent(paths: &Paths, entry: &Entry, accepted: bool) -> Result<(), Error> {
    let Some(terms) = entry.terms.as_ref().filter(|_| !store::terms_accepted(paths, entry)) else {
        return Ok(());
    };
    anstream::eprintln!("{}\nFull text: {}", terms.note, terms.url);
    let mut answer = String::new();
    if !accepted && std::io::stdin().is_terminal() {
        anstream::eprint!("Do you accept these terms? Type yes: ");
        std::io::stdin().lock().read_line(&mut answer)?;
    }
    if accepted || answer.trim().eq_ignore_ascii_case("yes") {
        store::accept_terms(paths, entry)?;
    }
    Ok(())
}

fn list(paths: &Paths, registry: &Registry, json: bool) -> Result<(), Error> {
    if json {
        let models: Vec<_> = registry.models.iter().map(|entry| describe(paths, registry, entry)).collect();
        anstream::println!("{}", serde_json::to_string_pretty(&models)?);
        return Ok(());
    }
    let width = registry.models.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    for entry in &registry.models {
        let state = match store::stored(paths, entry) {
            Some(_) => "pulled",
            None if store::terms_accepted(paths, entry) => "not pulled",
            None => "not pulled; has terms to accept",
        };
        let default = if entry.name == registry.default { ", default" } else { "" };
        anstream::println!(
            "{:width$}  {}\n{:width$}  {} MB, {}, {state}{default}",
            entry.name,
            entry.description,
            "",
            entry.size.div_ceil(1_000_000),
            entry.licence
        );
    }
    Ok(())
}

fn describe(paths: &Paths, registry: &Registry, entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "name": entry.name,
        "description": entry.description,
        "default": entry.name == registry.default,
        "file": entry.file,
        "size": entry.size,
        "sha256": entry.sha256,
        "licence": entry.licence,
        "terms": entry.terms.as_ref().map(|terms| &terms.url),
        "terms_accepted": store::terms_accepted(paths, entry),
        "path": store::stored(paths, entry).map(|model| model.path),
    })
}
