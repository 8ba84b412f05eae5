//! `bonafide key`: the author's own keys, and whose keys the user trusts.

mod contacts;
mod publish;
pub(super) mod texts;

use super::Error;
use super::messages::Lang;
use crate::keystore::{self, AskPassphrase, FromUser, Keystore, Profile, Source};
use crate::paths::Paths;
use bonafide_core::signature::published::{Reason, Revocation};
use bonafide_core::signature::statement::{Author, Identity};
use bonafide_core::signature::time::Timestamp;
use clap::{Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use texts::{Say, labels};

/// What a key is called unless it is told.
const DEFAULT_NAME: &str = "main";

/// Keys: your own, to sign texts with, and those of people you trust
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key
    New {
        /// What to call it on this machine
        #[arg(default_value = DEFAULT_NAME)]
        name: String,
        #[command(flatten)]
        author: AuthorArgs,
        /// Keep the key in the open: whoever gets its file can sign in your name
        #[arg(long)]
        no_passphrase: bool,
        /// Sign with it when no other key is asked for
        #[arg(long)]
        default: bool,
    },
    /// List all keys
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a key: its public line, fingerprint and identity
    Show {
        /// Which; the default key if not given
        name: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the file by which your site tells readers which keys are yours
    Publish(publish::Args),
    /// End a key: it signs no more, and is published as revoked
    Revoke {
        /// Which
        name: String,
        /// Why
        #[arg(long, value_enum)]
        reason: ReasonArg,
        /// Since when: 2026-11-25, or 2026-11-25T08:00:00Z; now if not given
        #[arg(long, value_name = "DATE", value_parser = date)]
        at: Option<Timestamp>,
    },
    /// Sign with this key when no other is asked for
    Default {
        /// Which
        name: String,
    },
    /// Take over a key that you have: an OpenSSH private key file, or one of the ssh-agent's, also in hardware
    Import {
        /// The private key file, of type ssh-ed25519; it is copied as it is
        #[arg(required_unless_present = "agent", conflicts_with = "agent")]
        file: Option<PathBuf>,
        /// The fingerprint or the comment of a key that the running ssh-agent holds
        #[arg(long, value_name = "FINGERPRINT-OR-COMMENT")]
        agent: Option<String>,
        /// What to call it on this machine; made of the file's name or the comment if not given
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        author: AuthorArgs,
    },
    /// Trust somebody's key
    Trust(contacts::TrustArgs),
    /// Trust somebody's keys no more
    Distrust {
        /// A contact's name, a fingerprint, or the https://ORIGIN or github:USER whose known keys to forget
        name: String,
    },
    /// List whose keys you trust
    Contacts(contacts::ContactsArgs),
}

#[derive(Debug, clap::Args)]
struct AuthorArgs {
    /// Your name, as readers are to see it
    #[arg(long, value_name = "NAME")]
    author: String,
    /// Where you publish the key: https://YOUR-SITE or github:USER
    #[arg(long, value_parser = identity)]
    identity: Option<String>,
}

impl AuthorArgs {
    fn author(self) -> Author {
        Author { name: self.author, identity: self.identity }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ReasonArg {
    /// Somebody else may have it: nothing that it ever signed counts any more
    Compromised,
    /// Another took its place
    Superseded,
    /// It is not used any more
    Retired,
    /// Not said
    Unspecified,
}

impl From<ReasonArg> for Reason {
    fn from(reason: ReasonArg) -> Self {
        match reason {
            ReasonArg::Compromised => Self::Compromised,
            ReasonArg::Superseded => Self::Superseded,
            ReasonArg::Retired => Self::Retired,
            ReasonArg::Unspecified => Self::Unspecified,
        }
    }
}

/// Reads an identity, forgiving what people type but a statement does not have.
fn identity(text: &str) -> Result<String, String> {
    let plain = text.strip_suffix('/').unwrap_or(text);
    // Hosts and GitHub's names are the same in either case, and statements compare bytes.
    match Identity::parse(&plain.to_ascii_lowercase()) {
        Some(identity) => Ok(identity.text()),
        None => Err("give an origin such as https://example.org (no path), or github:USER".to_owned()),
    }
}

/// Reads a date, or a day as its beginning.
fn date(text: &str) -> Result<Timestamp, String> {
    let parsed = text.parse::<Timestamp>().or_else(|_| format!("{text}T00:00:00Z").parse());
    parsed.map_err(|_| "give a day such as 2026-11-25, or a time such as 2026-11-25T08:00:00Z".to_owned())
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    let lang = Lang::from_env();
    let paths = Paths::from_env()?;
    let store = Keystore::new(&paths.data);
    match args.command {
        Command::New { name, author, no_passphrase, default } => {
            let author = author.author();
            // Nobody should type a passphrase twice to hear that the name is taken.
            store.check_free(&name, &author)?;
            let ask = FromUser(texts::prompts(lang));
            let passphrase = if no_passphrase { None } else { Some(ask.fresh(&name)?) };
            let made = store.create(&name, author, passphrase.as_ref())?;
            if default && !made.default {
                store.set_default(&name)?;
            }
            tell_made(&store, &made, lang)?;
        }
        Command::List { json } => list(&store, json, lang)?,
        Command::Show { name, json } => {
            let profile = choose(&store, name.as_deref())?;
            if json {
                let described = describe(&store, &profile);
                anstream::println!("{}", serde_json::to_string_pretty(&described)?);
            } else {
                show(&store, &profile, lang);
            }
        }
        Command::Publish(args) => publish::run(&args, &store, lang)?,
        Command::Revoke { name, reason, at } => {
            let at = at.unwrap_or_else(keystore::now);
            store.revoke(&name, Revocation { at, reason: reason.into() })?;
            anstream::eprintln!("{}", Say::Revoked { name: &name }.text(lang));
        }
        Command::Default { name } => {
            store.set_default(&name)?;
            anstream::eprintln!("{}", Say::Default { name: &name }.text(lang));
        }
        Command::Import { file, agent, name, author } => {
            let made = import(&store, file.as_deref(), agent.as_deref(), name, author.author())?;
            tell_made(&store, &made, lang)?;
        }
        Command::Trust(args) => contacts::trust(&args, &paths, lang)?,
        Command::Distrust { name } => contacts::distrust(&name, &paths, lang)?,
        Command::Contacts(args) => contacts::contacts(&args, &paths, lang)?,
    }
    Ok(())
}

/// The named key, or else the default one.
fn choose(store: &Keystore, name: Option<&str>) -> Result<Profile, Error> {
    Ok(match name {
        Some(name) => store.get(name)?,
        None => store.default()?,
    })
}

fn import(
    store: &Keystore,
    file: Option<&Path>,
    agent: Option<&str>,
    name: Option<String>,
    author: Author,
) -> Result<Profile, Error> {
    if let Some(wanted) = agent {
        let held = store.agent()?.find(wanted)?;
        let name = name.unwrap_or_else(|| suggest(&held.comment));
        return Ok(store.import_agent(&name, author, &held)?);
    }
    let file = file.ok_or("give a private key file, or --agent with a fingerprint or a comment")?;
    let stem = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(store.import_file(&name.unwrap_or_else(|| suggest(&stem)), author, file)?)
}

/// A name for a key, of a file's name or of a comment.
fn suggest(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    // Comments are often paths or addresses.
    let last = text.rsplit('/').next().unwrap_or_default();
    let plain: String = last.chars().map(|c| if fits(c) { c } else { '-' }).take(64).collect();
    let plain = plain.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if plain.is_empty() { DEFAULT_NAME.to_owned() } else { plain.to_owned() }
}

/// Prints the public line, and beside it what to do next.
fn tell_made(store: &Keystore, made: &Profile, lang: Lang) -> Result<(), Error> {
    anstream::println!("{}", made.key.to_openssh().trim_end());
    let name = made.name.as_str();
    let path = store.path(name).display().to_string();
    let mut said = match made.source {
        Source::File => vec![Say::Made { name, path: &path }],
        Source::Agent => vec![Say::Registered { name }],
    };
    if store.is_encrypted(made)? == Some(false) {
        said.push(Say::Unprotected { path: &path });
    }
    said.push(match made.author.identity {
        Some(_) => Say::Publish { name },
        None => Say::NoIdentity { name },
    });
    for say in said {
        anstream::eprintln!("{}", say.text(lang));
    }
    Ok(())
}

fn list(store: &Keystore, json: bool, lang: Lang) -> Result<(), Error> {
    let keys = store.list()?;
    if json {
        let all: Vec<_> = keys.iter().map(|profile| describe(store, profile)).collect();
        anstream::println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    if keys.is_empty() {
        anstream::eprintln!("{}", Say::NoKeys.text(lang));
    }
    let width = keys.iter().map(|profile| profile.name.len()).max().unwrap_or(0);
    for profile in &keys {
        let identity = profile.author.identity.iter().map(|identity| format!(" <{identity}>"));
        let author = std::iter::once(profile.author.name.clone()).chain(identity).collect::<String>();
        let marks: String = marks(store, profile, lang).iter().map(|mark| format!(", {mark}")).collect();
        anstream::println!(
            "{:width$}  {author}\n{:width$}  {}, {}{marks}",
            profile.name,
            "",
            profile.key.fingerprint(),
            texts::source(lang, profile.source),
        );
    }
    Ok(())
}

/// What is special about a key.
fn marks(store: &Keystore, profile: &Profile, lang: Lang) -> Vec<String> {
    let labels = labels(lang);
    let mut marks = Vec::new();
    let mut mark = |holds: bool, text: &str| {
        if holds {
            marks.push(text.to_owned());
        }
    };
    mark(profile.default, labels.default);
    mark(profile.key.is_hardware(), labels.hardware);
    // A file that can't be read is told of when it is used.
    mark(matches!(store.is_encrypted(profile), Ok(Some(false))), labels.unprotected);
    if let Some(revoked) = profile.revoked {
        marks.push(format!("{} {} ({})", labels.revoked, revoked.at, texts::reason(lang, revoked.reason)));
    }
    marks
}

fn show(store: &Keystore, profile: &Profile, lang: Lang) {
    let labels = labels(lang);
    let kept = match profile.source {
        Source::File => store.path(&profile.name).display().to_string(),
        Source::Agent => texts::source(lang, profile.source).to_owned(),
    };
    let rows = [
        (labels.author, Some(profile.author.name.clone())),
        (labels.identity, profile.author.identity.clone()),
        (labels.key, Some(profile.key.to_openssh().trim_end().to_owned())),
        (labels.fingerprint, Some(profile.key.fingerprint())),
        (labels.did, profile.key.to_did_key()),
        (labels.kept, Some(kept)),
        (labels.created, Some(profile.created.to_string())),
    ];
    let marks: String = marks(store, profile, lang).iter().map(|mark| format!(", {mark}")).collect();
    anstream::println!("{}{marks}", profile.name);
    for (label, value) in rows {
        if let Some(value) = value {
            anstream::println!("{label}: {value}");
        }
    }
}

/// A key for programs.
fn describe(store: &Keystore, profile: &Profile) -> serde_json::Value {
    serde_json::json!({
        "name": profile.name,
        "default": profile.default,
        "key": profile.key,
        "fingerprint": profile.key.fingerprint(),
        "did": profile.key.to_did_key(),
        "hardware": profile.key.is_hardware(),
        "author": profile.author,
        "source": profile.source,
        "path": matches!(profile.source, Source::File).then(|| store.path(&profile.name)),
        "encrypted": store.is_encrypted(profile).ok().flatten(),
        "created": profile.created,
        "valid_from": profile.valid_from,
        "revoked": profile.revoked,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_people_type_becomes_what_statements_have() {
        for (typed, meant) in [
            ("https://example.org", "https://example.org"),
            ("https://Example.org/", "https://example.org"),
            ("github:Ada", "github:ada"),
        ] {
            assert_eq!(identity(typed).unwrap(), meant);
        }
        for wrong in ["", "example.org", "http://example.org", "https://example.org/ada", "github:"] {
            assert!(identity(wrong).is_err(), "{wrong}");
        }
        assert_eq!(date("2026-11-25").unwrap(), date("2026-11-25T00:00:00Z").unwrap());
        assert!(date("yesterday").is_err());
    }

    #[test]
    fn names_come_of_files_and_comments() {
        for (text, name) in [
            ("id_ed25519", "id_ed25519"),
            ("ada@example.org", "ada-example.org"),
            ("/home/ada/.ssh/id", "id"),
            ("密钥", "main"),
            ("", "main"),
        ] {
            assert_eq!(suggest(text), name);
        }
    }
}
