//! The keys that GitHub publishes for a user: those for signing, and those for logging in, which sign as well.

use super::DirectoryError;
use super::web::{Answer, Web};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::{KeyList, ListedKey};
use serde::Deserialize;

#[derive(Deserialize)]
struct SigningKey {
    key: String,
}

/// Both lists as one. One of them may be missing; if it can't be had for another reason there is no list, for
/// one that lacks keys would say that they were taken away.
pub(super) fn keys(web: &Web, user: &str) -> Result<KeyList, DirectoryError> {
    let deadline = web.deadline();
    let [api, pages] = &web.github;
    let signing = web.get(web.url(api, &format!("/users/{user}/ssh_signing_keys"))?, deadline);
    let signing = found(signing)?;
    let login = found(web.get(web.url(pages, &format!("/{user}.keys"))?, deadline))?;
    let mut lines = Vec::new();
    match (signing, login) {
        (Err(missing), Err(_)) => return Err(missing),
        (signing, login) => {
            if let Ok(answer) = signing {
                lines.extend(signing_keys(&answer)?);
            }
            if let Ok(answer) = login {
                lines.extend(answer.text.lines().map(str::to_owned));
            }
        }
    }
    let mut keys: Vec<PublicKey> =
        lines.iter().filter_map(|line| PublicKey::from_openssh(line).ok()).collect();
    let mut seen = std::collections::HashSet::new();
    keys.retain(|key| seen.insert(key.clone()));
    let listed = |key| ListedKey { key, name: None, valid_from: None, valid_until: None, revoked: None };
    Ok(KeyList { version: 1, keys: keys.into_iter().map(listed).collect() })
}

/// That there is none, apart from that it can't be had.
fn found(answer: Result<Answer, DirectoryError>) -> Result<Result<Answer, DirectoryError>, DirectoryError> {
    match answer {
        Err(missing @ DirectoryError::NotPublished { .. }) => Ok(Err(missing)),
        other => other.map(Ok),
    }
}

fn signing_keys(answer: &Answer) -> Result<Vec<String>, DirectoryError> {
    let keys: Vec<SigningKey> = serde_json::from_str(&answer.text).map_err(|error| {
        DirectoryError::Unreadable { host: answer.host.clone(), reason: error.to_string() }
    })?;
    Ok(keys.into_iter().map(|key| key.key).collect())
}
