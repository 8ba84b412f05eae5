//! The two messages of the agent's protocol that are used (draft-miller-ssh-agent), as bytes.

use super::{AgentError, AgentKey};
use bonafide_core::signature::ed25519::RawSignature;
use bonafide_core::signature::key::PublicKey;

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// The longest answer that is read; OpenSSH's own limit.
pub(crate) const MAX_MESSAGE: usize = 256 * 1024;
/// The longest comment that is kept, in characters.
const MAX_COMMENT: usize = 200;

const SHORT: AgentError = AgentError::Garbled("it ends too early");

/// Which keys do you hold?
pub(super) fn request_identities() -> Vec<u8> {
    vec![REQUEST_IDENTITIES]
}

/// Sign this with that key, without any of the flags, which are about RSA.
pub(super) fn request_signature(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut message = vec![SIGN_REQUEST];
    for part in [key, data] {
        // A key has some dozens of bytes, and what is signed is a digest with a header.
        message.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        message.extend_from_slice(part);
    }
    message.extend_from_slice(&0u32.to_be_bytes());
    message
}

/// How long the answer is that begins with these bytes.
pub(super) fn length(header: [u8; 4]) -> Result<usize, AgentError> {
    match usize::try_from(u32::from_be_bytes(header)) {
        Ok(length) if (1..=MAX_MESSAGE).contains(&length) => Ok(length),
        _ => Err(AgentError::Garbled("its length is impossible")),
    }
}

/// Reads the answer to [`request_identities`]. Keys that can't sign here are left out, whatever they look like.
pub(super) fn identities(answer: &[u8]) -> Result<Vec<AgentKey>, AgentError> {
    let mut rest = body(answer, IDENTITIES_ANSWER)?;
    let count = number(&mut rest)?;
    let mut keys = Vec::new();
    // Each takes eight bytes or more, so a count that lies is noticed soon.
    for _ in 0..count {
        let blob = string(&mut rest)?;
        let comment = string(&mut rest)?;
        if let Ok(key) = PublicKey::from_blob(blob) {
            keys.push(AgentKey { key, comment: printable(comment) });
        }
    }
    if rest.is_empty() { Ok(keys) } else { Err(AgentError::Garbled("something follows its end")) }
}

/// Reads the answer to [`request_signature`].
pub(super) fn signature(answer: &[u8]) -> Result<RawSignature, AgentError> {
    let mut rest = body(answer, SIGN_RESPONSE)?;
    let blob = string(&mut rest)?;
    if !rest.is_empty() {
        return Err(AgentError::Garbled("something follows its end"));
    }
    RawSignature::from_ssh_blob(blob).map_err(|_| AgentError::Garbled("it is not an Ed25519 signature"))
}

/// What follows the type of a message, which must be the expected one.
fn body(answer: &[u8], expected: u8) -> Result<&[u8], AgentError> {
    match answer.split_first() {
        Some((&kind, rest)) if kind == expected => Ok(rest),
        Some((&FAILURE, _)) => Err(AgentError::Refused),
        Some(_) => Err(AgentError::Garbled("it is an answer to something else")),
        None => Err(SHORT),
    }
}

fn number(rest: &mut &[u8]) -> Result<u32, AgentError> {
    let (head, tail) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
    *rest = tail;
    Ok(u32::from_be_bytes(*head))
}

fn string<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], AgentError> {
    let length = usize::try_from(number(rest)?).map_err(|_| SHORT)?;
    let (head, tail) = rest.split_at_checked(length).ok_or(SHORT)?;
    *rest = tail;
    Ok(head)
}

/// A comment as it may be shown: no control character of it reaches a terminal.
fn printable(comment: &[u8]) -> String {
    let text = String::from_utf8_lossy(comment);
    text.chars().filter(|c| !c.is_control()).take(MAX_COMMENT).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

    fn strings(kind: u8, count: Option<u32>, parts: &[&[u8]]) -> Vec<u8> {
        let mut message = vec![kind];
        message.extend(count.into_iter().flat_map(u32::to_be_bytes));
        for part in parts {
            message.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
            message.extend_from_slice(part);
        }
        message
    }

    #[test]
    fn keys_of_other_kinds_are_left_out_and_comments_are_harmless() {
        let key = PublicKey::from_openssh(KEY).unwrap();
        let answer = strings(
            IDENTITIES_ANSWER,
            Some(2),
            &[b"\0\0\0\x07ssh-rsa", b"an old one", &key.to_blob(), b"ada\x1b[31m\xff"],
        );
        let keys = identities(&answer).unwrap();
        assert_eq!(keys, [AgentKey { key, comment: "ada[31m\u{fffd}".to_owned() }]);
        assert_eq!(identities(&strings(IDENTITIES_ANSWER, Some(0), &[])).unwrap(), []);
    }

    #[test]
    fn answers_that_are_cut_off_or_too_long_are_none() {
        let key = PublicKey::from_openssh(KEY).unwrap();
        let whole = strings(IDENTITIES_ANSWER, Some(1), &[&key.to_blob(), b"ada"]);
        for end in 0..whole.len() {
            assert!(identities(&whole[..end]).is_err(), "{end}");
        }
        assert!(identities(&[whole.as_slice(), &[0]].concat()).is_err());
        assert!(identities(&strings(IDENTITIES_ANSWER, Some(u32::MAX), &[])).is_err());
        assert!(matches!(signature(&[FAILURE]).unwrap_err(), AgentError::Refused));
        assert!(matches!(identities(&[FAILURE]).unwrap_err(), AgentError::Refused));
        for header in [0, u32::try_from(MAX_MESSAGE).unwrap() + 1, u32::MAX] {
            assert!(length(header.to_be_bytes()).is_err(), "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_parser(kind in 0u8..16, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let answer = [&[kind], bytes.as_slice()].concat();
            let _ = identities(&answer);
            let _ = signature(&answer);
        }

        #[test]
        fn no_changed_byte_breaks_the_parser(place in 0usize..200, byte: u8) {
            let key = PublicKey::from_openssh(KEY).unwrap().to_blob();
            let mut answer = strings(IDENTITIES_ANSWER, Some(2), &[&key, b"ada", &key, b"bob"]);
            let place = place % answer.len();
            answer[place] = byte;
            let _ = identities(&answer);
            answer[0] = SIGN_RESPONSE;
            let _ = signature(&answer);
        }
    }
}
