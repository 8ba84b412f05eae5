//! `bonafide key publish`: the files by which a site tells readers which keys are its author's.

use super::super::Error;
use super::super::messages::Lang;
use super::texts::Say;
use crate::keystore::{Keystore, KeystoreError, Profile};
use bonafide_core::signature::credential;
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::WELL_KNOWN_PATH;
use bonafide_core::signature::statement::Identity;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which keys; all, also the revoked ones, if none is given
    names: Vec<String>,
    /// Write to this file, not to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write did.json instead, by which your origin can be the issuer of Verifiable Credentials
    #[arg(long)]
    did: bool,
}

pub(super) fn run(args: &Args, store: &Keystore, lang: Lang) -> Result<(), Error> {
    // This also tells whether there is a key of every name.
    let list = store.publish_list(&args.names)?;
    if list.keys.is_empty() {
        return Err(KeystoreError::NoKey.into());
    }
    let mut profiles = store.list()?;
    profiles.retain(|profile| args.names.is_empty() || args.names.contains(&profile.name));
    let identities = identities(&profiles);
    let origins: Vec<_> = identities.iter().filter(|id| matches!(id, Identity::Origin(_))).collect();
    let (text, said) = if args.did {
        let [origin] = origins.as_slice() else {
            return Err("did.json is about one origin: name keys that have one and the same, as given with `bonafide key new --identity https://…`".into());
        };
        let keys = did_keys(&profiles, origin);
        if keys.is_empty() {
            return Err(
                "none of these keys can stand in did.json: only ssh-ed25519 keys that are not revoked can"
                    .into(),
            );
        }
        let origin = origin.text();
        let document = credential::did_document(&origin, &keys);
        (serde_json::to_string_pretty(&document)?, vec![Say::PutDid { origin: &origin }.text(lang)])
    } else {
        (serde_json::to_string_pretty(&list)?, where_to(&identities, lang))
    };
    match &args.output {
        Some(path) => std::fs::write(path, format!("{text}\n"))
            .map_err(|error| format!("{} can't be written: {error}", path.display()))?,
        None => anstream::println!("{text}"),
    }
    for line in said {
        anstream::eprintln!("{line}");
    }
    Ok(())
}

/// The different identities of some keys.
fn identities(profiles: &[Profile]) -> Vec<Identity> {
    let mut all: Vec<_> = profiles
        .iter()
        .filter_map(|profile| profile.author.identity.as_deref().and_then(Identity::parse))
        .collect();
    all.sort();
    all.dedup();
    all
}

/// The keys that a DID document has room for: it can't say that a key was revoked.
fn did_keys(profiles: &[Profile], origin: &Identity) -> Vec<PublicKey> {
    let named = origin.text();
    let fits = |profile: &&Profile| {
        profile.revoked.is_none()
            && !profile.key.is_hardware()
            && profile.author.identity.as_deref() == Some(named.as_str())
    };
    profiles.iter().filter(fits).map(|profile| profile.key.clone()).collect()
}

/// Where the list goes, for each identity.
fn where_to(identities: &[Identity], lang: Lang) -> Vec<String> {
    if identities.is_empty() {
        return vec![Say::PutList { origin: None, path: WELL_KNOWN_PATH }.text(lang)];
    }
    let line = |identity: &Identity| match identity {
        Identity::Origin(_) => {
            Say::PutList { origin: Some(&identity.text()), path: WELL_KNOWN_PATH }.text(lang)
        }
        Identity::GitHub(user) => Say::GitHub { user }.text(lang),
    };
    identities.iter().map(line).collect()
}
