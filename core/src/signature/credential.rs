//! A statement as a Verifiable Credential with a proof `eddsa-jcs-2022` (SPEC.md, section 4; W3C "Data Integrity EdDSA
//! Cryptosuites v1.0").
//!
//! One form only: a credential may hold nothing that a reader of the statement is not shown.

use super::ed25519::{self, RawSignature, SignatureError};
use super::key::{DID_KEY, KeyError, PublicKey};
use super::statement::{Identity, Statement, StatementError};
use super::time::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

const DID_WEB: &str = "did:web:";
const PROOF_TYPE: &str = "DataIntegrityProof";
const CRYPTOSUITE: &str = "eddsa-jcs-2022";
const PURPOSE: &str = "assertionMethod";
const CONTEXTS: [&str; 2] = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"];
/// Types of verification methods that hold a Multikey.
const KEY_TYPES: [&str; 2] = ["Multikey", "Ed25519VerificationKey2020"];
/// The longest name of a key.
const MAX_METHOD: usize = 512;
/// 64 bytes in base58 are shorter.
const MAX_PROOF_VALUE: usize = 100;

/// Where the key of a credential is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// In its name, a `did:key`.
    Key(PublicKey),
    /// At an origin that publishes a `did:web`.
    Web {
        /// `https://host[:port]`.
        origin: String,
        /// The whole of `verificationMethod`.
        id: String,
    },
}

/// A credential whose form was checked, but not its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    statement: Statement,
    method: Method,
    document: Value,
    hash: [u8; 64],
    signature: RawSignature,
}

/// Why something is not a credential of ours, or not a good one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A member that is not as it must be.
    #[error("the credential is not of the form that is known here: `{member}` {rule}")]
    Member {
        /// Which.
        member: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// A member that no reader would be shown.
    #[error("the credential holds {0:?}, which is not known here")]
    Unknown(String),
    /// The statement breaks a rule.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signature is not good.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Keys in hardware sign more than the data, which these proofs have no place for.
    #[error("a key in hardware can't sign a credential: use --as armour, or a key of type ssh-ed25519")]
    Hardware,
    /// A `did:web` needs a site.
    #[error("did:web needs an author with a site: give --identity https://..., or leave out --did-web")]
    NoOrigin,
    /// Checked with another key than the one that it names.
    #[error("the credential names another key than the one it was checked with")]
    OtherKey,
    /// The site does not publish the key that the credential names.
    #[error("the site's did.json gives no key {id:?} for {PURPOSE}: {why}")]
    NoKey {
        /// The name of the key.
        id: String,
        /// What is missing.
        why: &'static str,
    },
}

impl Credential {
    /// Reads a credential and checks every rule of the specification but the signature.
    ///
    /// # Errors
    /// [`CredentialError`] says what is wrong with it.
    pub fn from_json(value: &Value) -> Result<Self, CredentialError> {
        let document = members(
            value,
            "credential",
            &["@context", "type", "issuer", "validFrom", "validUntil", "credentialSubject", "proof"],
        )?;
        let rule = |holds: bool, member, rule| {
            if holds { Ok(()) } else { Err(CredentialError::Member { member, rule }) }
        };
        rule(document.get("@context") == Some(&context()), "@context", "is not the one of this format")?;
        rule(document.get("type") == Some(&types()), "type", "is not the one of this format")?;

        let subject = document.get("credentialSubject").unwrap_or(&Value::Null);
        let subject = members(subject, "credentialSubject", &["statement"])?;
        let json = subject.get("statement").unwrap_or(&Value::Null);
        let statement: Statement =
            serde_json::from_value(json.clone()).map_err(|error| StatementError::Json(error.to_string()))?;
        statement.check()?;
        // A member that is null would be signed, and not be there when the statement is read.
        let only = serde_json::to_value(&statement).is_ok_and(|written| written == *json);
        rule(only, "statement", "must not have members that are null")?;

        let date = json!(statement.date);
        rule(document.get("validFrom") == Some(&date), "validFrom", "must be the statement's `date`")?;
        let end = statement.expires.map(|end| json!(end));
        rule(document.get("validUntil") == end.as_ref(), "validUntil", "must be the statement's `expires`")?;

        let proof = document.get("proof").unwrap_or(&Value::Null);
        let known = [
            "@context",
            "type",
            "cryptosuite",
            "created",
            "verificationMethod",
            "proofPurpose",
            "proofValue",
        ];
        let proof = members(proof, "proof", &known)?;
        let text = |member: &str| proof.get(member).and_then(Value::as_str).unwrap_or_default();
        // Signers may repeat the context in the proof. Any other there would stand for the document's.
        let repeated = proof.get("@context").is_none_or(|repeated| *repeated == context());
        rule(repeated, "proof.@context", "must be that of the credential")?;
        rule(text("type") == PROOF_TYPE, "proof.type", "must be `DataIntegrityProof`")?;
        rule(text("cryptosuite") == CRYPTOSUITE, "proof.cryptosuite", "must be `eddsa-jcs-2022`")?;
        rule(text("proofPurpose") == PURPOSE, "proof.proofPurpose", "must be `assertionMethod`")?;
        let created = text("created").parse::<Timestamp>().is_ok();
        rule(created, "proof.created", "must be a date such as 2026-11-25T08:00:00Z")?;

        let issuer = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
        let method = method(issuer, text("verificationMethod"), &statement)?;
        let bytes = proof_value(text("proofValue")).ok_or(CredentialError::Member {
            member: "proof.proofValue",
            rule: "must be `z` and 64 bytes in base58",
        })?;
        let hash = proof_hash(&without(document, "proof"), &without(proof, "proofValue"))?;
        let signature = RawSignature { bytes, touch: None };
        Ok(Self { statement, method, document: value.clone(), hash, signature })
    }

    /// What was signed.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Where the key is found.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Checks the signature with the key that the credential names.
    ///
    /// # Errors
    /// [`CredentialError::Signature`] if it is not good, [`CredentialError::OtherKey`] and
    /// [`CredentialError::Hardware`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), CredentialError> {
        if key.is_hardware() {
            return Err(CredentialError::Hardware);
        }
        if matches!(&self.method, Method::Key(named) if named != key) {
            return Err(CredentialError::OtherKey);
        }
        Ok(ed25519::verify(key, &self.hash, &self.signature)?)
    }

    /// The credential as it was read or made.
    #[must_use]
    pub fn to_json(&self) -> &Value {
        &self.document
    }
}

/// A credential without its signature: what to sign and how to finish.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsigned {
    statement: Statement,
    method: Method,
    document: Map<String, Value>,
    proof: Map<String, Value>,
    hash: [u8; 64],
}

impl Unsigned {
    /// Begins a credential. Its key is named by a `did:key`, or with `web` by the `did:web` of the author's origin.
    ///
    /// # Errors
    /// [`CredentialError::Hardware`], [`CredentialError::NoOrigin`], and [`CredentialError::Statement`] if the
    /// statement breaks a rule.
    pub fn new(statement: Statement, key: &PublicKey, web: bool) -> Result<Self, CredentialError> {
        statement.check()?;
        let multibase = key.to_multibase().ok_or(CredentialError::Hardware)?;
        let issuer = if web {
            did_web(&origin(&statement).ok_or(CredentialError::NoOrigin)?)
        } else {
            format!("{DID_KEY}{multibase}")
        };
        let id = format!("{issuer}#{multibase}");
        let method = method(&issuer, &id, &statement)?;
        let mut document = Map::new();
        document.insert("@context".to_owned(), context());
        document.insert("type".to_owned(), types());
        document.insert("issuer".to_owned(), json!(issuer));
        document.insert("validFrom".to_owned(), json!(statement.date));
        if let Some(end) = statement.expires {
            document.insert("validUntil".to_owned(), json!(end));
        }
        document.insert("credentialSubject".to_owned(), json!({ "statement": statement }));
        let mut proof = Map::new();
        proof.insert("type".to_owned(), json!(PROOF_TYPE));
        proof.insert("cryptosuite".to_owned(), json!(CRYPTOSUITE));
        proof.insert("created".to_owned(), json!(statement.date));
        proof.insert("verificationMethod".to_owned(), json!(id));
        proof.insert("proofPurpose".to_owned(), json!(PURPOSE));
        let hash = proof_hash(&document, &proof)?;
        Ok(Self { statement, method, document, proof, hash })
    }

    /// The bytes that the key signs.
    #[must_use]
    pub fn to_sign(&self) -> [u8; 64] {
        self.hash
    }

    /// The credential with its signature, which is not checked here.
    #[must_use]
    pub fn finish(self, signature: &RawSignature) -> Credential {
        let Self { statement, method, mut document, mut proof, hash } = self;
        let value = format!("z{}", bs58::encode(signature.bytes).into_string());
        proof.insert("proofValue".to_owned(), Value::String(value));
        document.insert("proof".to_owned(), Value::Object(proof));
        let signature = RawSignature { bytes: signature.bytes, touch: None };
        Credential { statement, method, document: Value::Object(document), hash, signature }
    }
}

/// The key that a `did.json` gives for the `verificationMethod` of a credential, if it may sign for its owner.
///
/// # Errors
/// [`CredentialError::NoKey`], and [`CredentialError::Key`] if the key can't be used.
pub fn key_in_did_document(document: &Value, id: &str) -> Result<PublicKey, CredentialError> {
    let missing = |why| CredentialError::NoKey { id: id.chars().take(MAX_METHOD).collect(), why };
    let did = id.split_once('#').map(|(did, _)| did).ok_or(missing("that is no name of a key"))?;
    if document.get("id").and_then(Value::as_str) != Some(did) {
        return Err(missing("it is the document of somebody else"));
    }
    // A name may leave out what is the document's own.
    let named = |name: &Value| {
        name.as_str().is_some_and(|name| name == id || (name.starts_with('#') && id[did.len()..] == *name))
    };
    let all =
        |list: &str| document.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let entries = |list| all(list).iter().filter(|entry| entry.get("id").is_some_and(named));
    // Methods may stand in the list of what they are for, in place of their names.
    let may_assert = all(PURPOSE).iter().any(named) || entries(PURPOSE).next().is_some();
    let mut found = entries("verificationMethod").chain(entries(PURPOSE));
    let entry = found.next().ok_or(missing("it is not listed under verificationMethod"))?;
    if found.next().is_some() {
        return Err(missing("it is listed more than once"));
    }
    if !may_assert {
        return Err(missing("it is not listed under assertionMethod"));
    }
    let text = |member: &str| entry.get(member).and_then(Value::as_str).unwrap_or_default();
    if !KEY_TYPES.contains(&text("type")) {
        return Err(missing("its type is neither Multikey nor Ed25519VerificationKey2020"));
    }
    if text("controller") != did {
        return Err(missing("its controller is somebody else"));
    }
    if entry.get("revoked").is_some() {
        return Err(missing("it was revoked"));
    }
    Ok(PublicKey::from_multibase(text("publicKeyMultibase"))?)
}

/// The `did.json` that publishes keys for an origin. Keys in hardware, which can't sign credentials, are left out.
#[must_use]
pub fn did_document(origin: &str, keys: &[PublicKey]) -> Value {
    let did = did_web(origin);
    let keys: Vec<String> = keys.iter().filter_map(PublicKey::to_multibase).collect();
    let method = |key: &String| json!({ "id": format!("{did}#{key}"), "type": "Multikey", "controller": did, "publicKeyMultibase": key });
    let methods: Vec<Value> = keys.iter().map(method).collect();
    let names: Vec<String> = keys.iter().map(|key| format!("{did}#{key}")).collect();
    json!({ "@context": CONTEXTS, "id": did, "verificationMethod": methods, PURPOSE: names })
}

/// What `eddsa-jcs-2022` signs for a document without its proof and a proof without its value.
pub(super) fn proof_hash(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
) -> Result<[u8; 64], CredentialError> {
    let mut hash = [0; 64];
    for (half, object) in hash.chunks_exact_mut(32).zip([proof, document]) {
        let json = serde_json_canonicalizer::to_vec(object)
            .map_err(|error| StatementError::Json(error.to_string()))?;
        half.copy_from_slice(&Sha256::digest(json));
    }
    Ok(hash)
}

fn context() -> Value {
    json!([
        "https://www.w3.org/ns/credentials/v2",
        {
            "HumanStatementCredential": "urn:generated-by-human:1#HumanStatementCredential",
            "statement": { "@id": "urn:generated-by-human:1#statement", "@type": "@json" }
        }
    ])
}

fn types() -> Value {
    json!(["VerifiableCredential", "HumanStatementCredential"])
}

/// The members of an object that has no others than these.
fn members<'a>(
    value: &'a Value,
    name: &'static str,
    known: &[&str],
) -> Result<&'a Map<String, Value>, CredentialError> {
    let object =
        value.as_object().ok_or(CredentialError::Member { member: name, rule: "must be one JSON object" })?;
    match object.keys().find(|member| !known.contains(&member.as_str())) {
        Some(member) => {
            let member = member.chars().take(MAX_METHOD).collect::<String>();
            Err(CredentialError::Unknown(format!("{name}.{member}")))
        }
        None => Ok(object),
    }
}

fn without(object: &Map<String, Value>, left_out: &str) -> Map<String, Value> {
    object
        .iter()
        .filter(|(name, _)| *name != left_out)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The origin of a statement's author, if that is what identifies him.
fn origin(statement: &Statement) -> Option<String> {
    let identity = statement.author.identity.as_deref()?;
    matches!(Identity::parse(identity), Some(Identity::Origin(_))).then(|| identity.to_owned())
}

/// The `did:web` of an origin; the colon before a port means something else in a DID.
fn did_web(origin: &str) -> String {
    let authority = origin.strip_prefix("https://").unwrap_or(origin);
    format!("{DID_WEB}{}", authority.replace(':', "%3A"))
}

/// Where the key is found, if `verificationMethod` is one of the issuer's, and the issuer may speak for the author.
fn method(issuer: &str, id: &str, statement: &Statement) -> Result<Method, CredentialError> {
    let error = |member, rule| CredentialError::Member { member, rule };
    let fragment = id.strip_prefix(issuer).and_then(|rest| rest.strip_prefix('#')).unwrap_or_default();
    let sound =
        !fragment.is_empty() && id.len() <= MAX_METHOD && fragment.bytes().all(|b| b.is_ascii_graphic());
    if !sound || fragment.contains('#') {
        return Err(error("proof.verificationMethod", "must be the `issuer`, `#`, and the name of a key"));
    }
    if let Some(multibase) = issuer.strip_prefix(DID_KEY) {
        if fragment != multibase {
            return Err(error("proof.verificationMethod", "must repeat the key of a did:key after `#`"));
        }
        return Ok(Method::Key(PublicKey::from_did_key(issuer)?));
    }
    let origin = origin(statement).filter(|origin| did_web(origin) == issuer);
    let origin =
        origin.ok_or(error("issuer", "must be a did:key, or the did:web of the author's identity"))?;
    Ok(Method::Web { origin, id: id.to_owned() })
}

fn proof_value(text: &str) -> Option<[u8; 64]> {
    // Decoding takes the square of the length.
    let digits = text.strip_prefix('z').filter(|digits| digits.len() <= MAX_PROOF_VALUE)?;
    bs58::decode(digits).into_vec().ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
