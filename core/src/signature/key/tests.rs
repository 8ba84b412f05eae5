#![allow(clippy::unwrap_used)]

use super::*;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

/// Made by `ssh-keygen -t ed25519`, whose `-l` prints the fingerprint.
const LINE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINeSKcSBBnXPsXmeKqxPQu2hjDOznyy63JZRshy1L+Cb ada@example";
const FINGERPRINT: &str = "SHA256:sJrBeIzjVRBrY4Idkij6noumLPAbLh6ZPfC9dK3bxBo";
const HARDWARE_LINE: &str = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAICFo/k5LU8863u66YC9eUO2170QduohPURkQnbLa/dczAAAABHNzaDo= user@example.com";
const HARDWARE_FINGERPRINT: &str = "SHA256:6WZVJ44bqhAWLVP4Ns0TDkoSQSsZo/h2K+mEvOaNFbw";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBI0uucC51otgZ6I1zdrC1Wb786Ee5WE+5+/xzYFrrmVR8Hxl5OPfKVxQClaqix8K1p36D6jyWqS4GfoDuFUIYnk= e";
const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCvn0O1xBCbZQVPKRww5XVGUcJkhTVXTuHKRLGsswZiPqqsYU9SrxUAG7dglxGK2b+Jp9m65290Lz9DpRYqY8jkUPOnFOjdJ/SMK+oNIKX0GgHd/aWV/EG/6gIQvBHgT+Ewvy4KtVykLOjoqH/DH+PbZvKjvJi0kdBflp+oLHFDJw== r";
/// The example of the did:key specification.
const DID: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";

fn point_of(seed: [u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(&seed).verifying_key().to_bytes()
}

fn any_key() -> impl Strategy<Value = PublicKey> {
    (any::<[u8; 32]>(), proptest::option::of("[ -~]{1,255}")).prop_map(|(seed, application)| {
        let point = point_of(seed);
        match application {
            Some(application) => PublicKey::security_key(point, &application).unwrap(),
            None => PublicKey::ed25519(point).unwrap(),
        }
    })
}

#[test]
fn reads_what_ssh_keygen_writes() {
    let key = PublicKey::from_openssh(LINE).unwrap();
    assert_eq!(key.fingerprint(), FINGERPRINT);
    assert_eq!(format!("{} ada@example", key.to_openssh()), LINE);
    assert!(!key.is_hardware() && key.application().is_none());

    let key = PublicKey::from_openssh(HARDWARE_LINE).unwrap();
    assert_eq!(key.fingerprint(), HARDWARE_FINGERPRINT);
    assert_eq!(format!("{} user@example.com", key.to_openssh()), HARDWARE_LINE);
    assert_eq!((key.is_hardware(), key.application()), (true, Some("ssh:")));
    assert_eq!(key.to_did_key(), None);
}

#[test]
fn a_comment_and_white_space_do_not_matter() {
    let key = PublicKey::from_openssh(LINE).unwrap();
    let bare = key.to_openssh();
    for same in [
        bare.clone(),
        format!(" {bare}\r\n"),
        format!("{bare} a comment of several words, 人\t"),
        bare.replace(' ', "\t  "),
    ] {
        assert_eq!(PublicKey::from_openssh(&same), Ok(key.clone()), "{same:?}");
    }
}

#[test]
fn other_kinds_of_keys_are_named() {
    for (line, name) in [(RSA, "ssh-rsa"), (ECDSA, "ecdsa-sha2-nistp256")] {
        let error = PublicKey::from_openssh(line).unwrap_err();
        assert_eq!(error, KeyError::Algorithm(name.to_owned()));
        assert!(error.to_string().contains("`ssh-keygen -t ed25519`"), "{error}");
    }
    let blob = [&[0, 0, 0, 3], b"\x1B[m".as_slice()].concat();
    // No terminal is sent what a stranger wrote.
    assert!(!PublicKey::from_blob(&blob).unwrap_err().to_string().contains('\x1B'));
}

#[test]
fn what_is_no_key_is_refused() {
    let key = PublicKey::from_openssh(LINE).unwrap();
    let base64 = STANDARD.encode(key.to_blob());
    let longer = STANDARD.encode([key.to_blob(), vec![0]].concat());
    let shorter = STANDARD.encode(&key.to_blob()[..50]);
    for (line, error) in [
        ("", KeyError::Line),
        ("ssh-ed25519", KeyError::Line),
        ("hello world, how are you?", KeyError::Line),
        (&format!("{LINE}\n{LINE}"), KeyError::Line),
        (&format!("command=\"ls\" {LINE}"), KeyError::Line),
        (&format!("ssh-ed25519 {base64}="), KeyError::Line),
        (&format!("ssh-ed25519 {}", longer.trim_end_matches('=')), KeyError::Line),
        (&format!("ssh-ed25519 {longer}"), KeyError::Blob),
        (&format!("ssh-ed25519 {shorter}"), KeyError::Blob),
        (&format!("ssh-rsa {base64}"), KeyError::Name("ssh-rsa".to_owned())),
        (&format!("sk-ssh-ed25519@openssh.com {base64}"), KeyError::Name(HARDWARE.to_owned())),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----",
            KeyError::Private,
        ),
    ] {
        assert_eq!(PublicKey::from_openssh(line), Err(error), "{line:?}");
    }
}

#[test]
fn only_sound_points_are_keys() {
    let one = |byte: u8| {
        let mut point = [0; 32];
        point[0] = byte;
        point
    };
    let mut large = [0xFF; 32];
    large[31] = 0x7F;
    // 2^255 - 19 + n stands for n in a second way.
    for low in 0xED..=0xFF {
        large[0] = low;
        assert_eq!(PublicKey::ed25519(large), Err(KeyError::Point));
        let mut negative = large;
        negative[31] = 0xFF;
        assert_eq!(PublicKey::ed25519(negative), Err(KeyError::Point));
    }
    large[0] = 0xEC;
    assert_eq!(PublicKey::ed25519(large), Err(KeyError::Weak));
    assert_eq!(PublicKey::ed25519(one(0)), Err(KeyError::Weak));
    assert_eq!(PublicKey::security_key(one(1), "ssh:"), Err(KeyError::Weak));
    assert_eq!(PublicKey::ed25519(one(2)), Err(KeyError::Point), "not on the curve");
    for point in [
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    ] {
        assert_eq!(PublicKey::ed25519(unhex(point).try_into().unwrap()), Err(KeyError::Weak));
    }
}

#[test]
fn an_application_can_be_written_everywhere() {
    let point = point_of([1; 32]);
    for wrong in ["", "ssh:\n", "ssh:ä", &"s".repeat(256)] {
        assert_eq!(PublicKey::security_key(point, wrong), Err(KeyError::Application), "{wrong:?}");
    }
    assert!(PublicKey::security_key(point, &"s".repeat(255)).is_ok());
}

#[test]
fn did_keys_have_one_form() {
    let key = PublicKey::from_did_key(DID).unwrap();
    assert_eq!(
        key.point().as_slice(),
        unhex("2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6"),
        "the publicKeyJwk of the example"
    );
    assert_eq!(key.to_did_key().as_deref(), Some(DID));
    let multibase = DID.strip_prefix(DID_KEY).unwrap();
    for wrong in [
        multibase,
        "did:key:",
        "did:key:z",
        &format!("{DID}#{multibase}"),
        &format!("{DID_KEY}z1{}", &multibase[1..]),
        &format!("{DID_KEY}{}", &multibase[1..]),
        &DID[..DID.len() - 1],
        &format!("{DID}1"),
        &format!("{DID_KEY}z{}", "1".repeat(100_000)),
        // Other keys of the specification: secp256k1 and X25519.
        "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
        "did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F",
    ] {
        assert_eq!(PublicKey::from_did_key(wrong), Err(KeyError::DidKey), "{wrong:.80}");
    }
}

#[test]
fn json_holds_the_line() {
    let key = PublicKey::from_openssh(LINE).unwrap();
    let json = serde_json::to_string(&key).unwrap();
    assert_eq!(json, format!("{:?}", key.to_openssh()));
    assert_eq!(serde_json::from_str::<PublicKey>(&json).unwrap(), key);
    assert!(
        serde_json::from_str::<PublicKey>(&format!("{RSA:?}")).unwrap_err().to_string().contains("ssh-rsa")
    );
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

proptest! {
    #[test]
    fn every_encoding_comes_back(key in any_key(), comment in "[^\r\n]{0,40}") {
        prop_assert_eq!(&PublicKey::from_blob(&key.to_blob()), &Ok(key.clone()));
        prop_assert_eq!(&PublicKey::from_openssh(&key.to_openssh()), &Ok(key.clone()));
        prop_assert_eq!(&PublicKey::from_openssh(&format!("{} {comment}", key.to_openssh())), &Ok(key.clone()));
        match key.to_did_key() {
            Some(did) => prop_assert_eq!(PublicKey::from_did_key(&did), Ok(key)),
            None => prop_assert!(key.is_hardware()),
        }
    }

    #[test]
    fn agrees_with_the_library(key in any_key()) {
        let theirs = ssh_key::PublicKey::from_openssh(&key.to_openssh()).unwrap();
        prop_assert_eq!(theirs.to_bytes().unwrap(), key.to_blob());
        prop_assert_eq!(theirs.fingerprint(ssh_key::HashAlg::Sha256).to_string(), key.fingerprint());
    }

    #[test]
    fn what_is_read_is_written_again(key in any_key(), at in any::<prop::sample::Index>(), mask in 1_u8..) {
        let mut blob = key.to_blob();
        let at = at.index(blob.len());
        blob[at] ^= mask;
        if let Ok(other) = PublicKey::from_blob(&blob) {
            prop_assert_eq!(other.to_blob(), blob);
            prop_assert_ne!(other, key);
        }
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
        for name in ["", PLAIN, HARDWARE] {
            let mut blob = Vec::new();
            put_string(&mut blob, name.as_bytes());
            let blob = if name.is_empty() { bytes.clone() } else { [blob, bytes.clone()].concat() };
            if let Ok(key) = PublicKey::from_blob(&blob) {
                prop_assert_eq!(key.to_blob(), blob.clone());
            }
            let _ = PublicKey::from_openssh(&format!("{name} {}", STANDARD.encode(&blob)));
            let _ = PublicKey::from_openssh(&format!("{name} {text}"));
        }
        let _ = PublicKey::from_did_key(&format!("did:key:z6Mk{text}"));
        let _ = PublicKey::from_did_key(&text);
    }
}
