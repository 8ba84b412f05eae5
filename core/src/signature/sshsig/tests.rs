#![allow(clippy::unwrap_used)]

use super::*;
use crate::signature::ed25519::Touch;
use crate::signature::key::KeyError;
use crate::signature::testing::TestKey;
use proptest::prelude::*;

/// What these were made over by `ssh-keygen -Y sign -n generated-by-human` of OpenSSH 9.2.
const MESSAGE: &[u8] = b"hello, human\n";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINeSKcSBBnXPsXmeKqxPQu2hjDOznyy63JZRshy1L+Cb";
const ED_SHA512: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg15IpxIEGdc+xeZ4qrE9C7aGMM7
OfLLrcllGyHLUv4JsAAAASZ2VuZXJhdGVkLWJ5LWh1bWFuAAAAAAAAAAZzaGE1MTIAAABT
AAAAC3NzaC1lZDI1NTE5AAAAQFSftkqEzzDEZXXbihrjQ7rcdGJRhMfaM8hRMiIksKciTP
4zm9zBWkGhyOHPp4b3+oFPCDO2P6SrhyIcMnc/zQw=
-----END SSH SIGNATURE-----
";
/// With `-O hashalg=sha256`.
const ED_SHA256: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg15IpxIEGdc+xeZ4qrE9C7aGMM7
OfLLrcllGyHLUv4JsAAAASZ2VuZXJhdGVkLWJ5LWh1bWFuAAAAAAAAAAZzaGEyNTYAAABT
AAAAC3NzaC1lZDI1NTE5AAAAQC60kgMt32Z0JEZeqmAZcEdj09f3VkzrZ2rwhKUm66VGvX
v7dIjeahhi3CW2BIScL+bqGIDNyFj2z95BPdnGFwM=
-----END SSH SIGNATURE-----
";
/// With `-n file`.
const ED_FILE: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg15IpxIEGdc+xeZ4qrE9C7aGMM7
OfLLrcllGyHLUv4JsAAAAEZmlsZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUx
OQAAAEDjFRZtIlpvLxm5Nf6Sh2EwkdkNxMdxA/XdG2SI9nCBMtcUTzyY5d5VWz/J808X0w
9jazprauD8jcrM6TGEKCwH
-----END SSH SIGNATURE-----
";
const RSA: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAJcAAAAHc3NoLXJzYQAAAAMBAAEAAACBAK+fQ7XEEJtlBU8pHDDldU
ZRwmSFNVdO4cpEsayzBmI+qqxhT1KvFQAbt2CXEYrZv4mn2brnb3QvP0OlFipjyORQ86cU
6N0n9Iwr6g0gpfQaAd39pZX8Qb/qAhC8EeBP4TC/Lgq1XKQs6Oiof8Mf49tm8qO8mLSR0F
+Wn6gscUMnAAAAEmdlbmVyYXRlZC1ieS1odW1hbgAAAAAAAAAGc2hhNTEyAAAAlAAAAAxy
c2Etc2hhMi01MTIAAACAcHO0ZX4RgyQjx+i2oCP0Q94pKyN4PNP5HDHdaoDnsNioJpf3l0
UdC7BfqvkkUNKL/lNOCcHck/nf8twg5fe/v+fuvq35T6Gh0k9MF/v6lEFcD6eThRq36rjV
RaPD0VMOPPXxdAZNBNLo0GFJ+OdBhNmEgthJYx1vMcuefQtIAQ0=
-----END SSH SIGNATURE-----
";
const ECDSA: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE
EEjS65wLnWi2BnojXN2sLVZvvzoR7lYT7n7/HNgWuuZVHwfGXk498pXFAKVqqLHwrWnfoP
qPJapLgZ+gO4VQhieQAAABJnZW5lcmF0ZWQtYnktaHVtYW4AAAAAAAAABnNoYTUxMgAAAG
QAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAEkAAAAgVSkS7ZtrgLPI/flg0wFXgymfQG1C
cJkcELcEniRp2HcAAAAhAL4aGhbT3thJIYkcIl93LvNZaRWwTOIE3FLPoG33u23x
-----END SSH SIGNATURE-----
";

fn signed(key: &TestKey, message: &[u8], hash: HashAlgorithm, flags: u8) -> SshSignature {
    let signature = key.sign(&signed_data(message, hash), flags);
    SshSignature { key: key.public.clone(), hash, signature }
}

fn armour(blob: &[u8]) -> String {
    format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(blob))
}

#[test]
fn reads_and_writes_what_ssh_keygen_writes() {
    for (text, hash) in [(ED_SHA512, HashAlgorithm::Sha512), (ED_SHA256, HashAlgorithm::Sha256)] {
        let signature = SshSignature::parse(text).unwrap();
        assert_eq!((signature.hash, signature.key.to_openssh().as_str()), (hash, KEY));
        assert_eq!(signature.to_armour(), text);
        assert_eq!(signature.verify(MESSAGE), Ok(()));
        assert_eq!(signature.verify(b"hello, human"), Err(SignatureError::Wrong));
        let other = if hash == HashAlgorithm::Sha512 { HashAlgorithm::Sha256 } else { HashAlgorithm::Sha512 };
        assert_eq!(SshSignature { hash: other, ..signature }.verify(MESSAGE), Err(SignatureError::Wrong));
    }
}

#[test]
fn a_signature_for_another_purpose_is_refused() {
    let error = SshSignature::parse(ED_FILE).unwrap_err();
    assert_eq!(error, SignatureError::Namespace("file".to_owned()));
    assert!(error.to_string().contains("-n generated-by-human"), "{error}");
    // Nor does it become good when its namespace is exchanged.
    let stolen = ssh_key::SshSig::from_pem(ED_FILE).unwrap();
    let signature = RawSignature { bytes: stolen.signature_bytes().try_into().unwrap(), touch: None };
    let ours =
        SshSignature { key: PublicKey::from_openssh(KEY).unwrap(), hash: HashAlgorithm::Sha512, signature };
    assert_eq!(ours.verify(MESSAGE), Err(SignatureError::Wrong));
}

#[test]
fn other_kinds_of_keys_are_refused() {
    for (text, name) in [(RSA, "ssh-rsa"), (ECDSA, "ecdsa-sha2-nistp256")] {
        assert_eq!(SshSignature::parse(text), Err(KeyError::Algorithm(name.to_owned()).into()));
    }
}

#[test]
fn agrees_with_the_library() {
    for (hash, theirs) in
        [(HashAlgorithm::Sha256, ssh_key::HashAlg::Sha256), (HashAlgorithm::Sha512, ssh_key::HashAlg::Sha512)]
    {
        let data = ssh_key::SshSig::signed_data(NAMESPACE, theirs, MESSAGE).unwrap();
        assert_eq!(signed_data(MESSAGE, hash), data);
        for key in [TestKey::new(1), TestKey::hardware(1)] {
            let ours = signed(&key, MESSAGE, hash, 1).to_armour();
            let read = ssh_key::SshSig::from_pem(&ours).unwrap();
            assert_eq!((read.version(), read.namespace(), read.hash_alg()), (1, NAMESPACE, theirs));
            assert_eq!(read.to_pem(ssh_key::LineEnding::LF).unwrap(), ours);
        }
    }
}

#[test]
fn a_device_must_have_been_touched() {
    let key = TestKey::hardware(2);
    let read = |signature: &SshSignature| SshSignature::parse(&signature.to_armour()).unwrap();
    let good = signed(&key, MESSAGE, HashAlgorithm::Sha512, 1);
    assert_eq!(read(&good).verify(MESSAGE), Ok(()));
    let untouched = signed(&key, MESSAGE, HashAlgorithm::Sha512, 0);
    assert_eq!(read(&untouched).verify(MESSAGE), Err(SignatureError::NoTouch));
    let mut other = good;
    other.signature.touch = Some(Touch { flags: 1, counter: 8 });
    assert_eq!(read(&other).verify(MESSAGE), Err(SignatureError::Wrong));
    other.signature.touch = None;
    assert_eq!(SshSignature::parse(&other.to_armour()), Err(SignatureError::Kind));
}

#[test]
fn lines_may_be_broken_anywhere() {
    let good = SshSignature::parse(ED_SHA512).unwrap();
    let base64 = STANDARD.encode(good.to_blob());
    for same in [
        format!("\n \t{ED_SHA512}\r\n\n"),
        ED_SHA512.replace('\n', "\r\n"),
        armour(&good.to_blob()),
        format!("{BEGIN}\n{}\n{}\n\n{END}", &base64[..33], &base64[33..]),
    ] {
        assert_eq!(SshSignature::parse(&same), Ok(good.clone()), "{same:?}");
    }
}

#[test]
fn one_form_only() {
    let good = SshSignature::parse(ED_SHA512).unwrap();
    let blob = good.to_blob();
    let base64 = STANDARD.encode(&blob);
    let with = |version: u8, namespace: &str, reserved: &[u8], hash: &str, after: &[u8]| {
        let mut blob = [MAGIC, &[0, 0, 0, version]].concat();
        put_string(&mut blob, &good.key.to_blob());
        put_string(&mut blob, namespace.as_bytes());
        put_string(&mut blob, reserved);
        put_string(&mut blob, hash.as_bytes());
        put_string(&mut blob, &[&good.signature.to_ssh_blob(), after].concat());
        armour(&blob)
    };
    assert_eq!(SshSignature::parse(&with(1, NAMESPACE, &[], "sha512", &[])), Ok(good.clone()));
    for wrong in [
        String::new(),
        BEGIN.to_owned(),
        format!("{BEGIN}{END}"),
        format!("{BEGIN}\n{END}"),
        format!("{BEGIN}{base64}{END}"),
        format!("x{ED_SHA512}"),
        format!("{ED_SHA512}x"),
        format!("{ED_SHA512}{ED_SHA512}"),
        format!("{BEGIN}\n{base64}=\n{END}"),
        format!("{BEGIN}\n{}\n{END}", base64.trim_end_matches('=')),
        format!("{BEGIN}\n{}\n{END}", base64.replace('+', "-")),
        format!("{BEGIN}\nVersion: 1\n\n{base64}\n{END}"),
        format!("{}{ED_SHA512}", "\n".repeat(MAX_ARMOUR)),
        armour(&[blob.as_slice(), &[0]].concat()),
        armour(&blob[..blob.len() - 1]),
        with(0, NAMESPACE, &[], "sha512", &[]),
        with(2, NAMESPACE, &[], "sha512", &[]),
        with(1, NAMESPACE, b"x", "sha512", &[]),
        with(1, NAMESPACE, &[], "sha1", &[]),
        with(1, NAMESPACE, &[], "SHA512", &[]),
        with(1, NAMESPACE, &[], "sha512", &[0]),
    ] {
        assert!(matches!(SshSignature::parse(&wrong), Err(SignatureError::Format(_))), "{wrong:.200}");
    }
    for wrong in ["", "Generated-by-human", "generated-by-human\0", "generated-by-human2"] {
        let error = SshSignature::parse(&with(1, wrong, &[], "sha512", &[]));
        assert_eq!(error, Err(SignatureError::Namespace(wrong.to_owned())));
    }
}

#[test]
fn no_changed_bit_is_good() {
    for key in [TestKey::new(3), TestKey::hardware(3)] {
        let good = signed(&key, MESSAGE, HashAlgorithm::Sha512, 1);
        let blob = good.to_blob();
        for bit in 0..blob.len() * 8 {
            let mut other = blob.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            let read = SshSignature::parse(&armour(&other));
            assert!(read.is_err() || read.unwrap().verify(MESSAGE).is_err(), "bit {bit}");
        }
    }
}

fn any_signature() -> impl Strategy<Value = SshSignature> {
    let parts = (any::<u8>(), any::<bool>(), any::<bool>(), any::<[u8; 64]>(), any::<(u8, u32)>());
    parts.prop_map(|(seed, hardware, sha256, bytes, (flags, counter))| {
        let key = if hardware { TestKey::hardware(seed) } else { TestKey::new(seed) };
        let hash = if sha256 { HashAlgorithm::Sha256 } else { HashAlgorithm::Sha512 };
        let touch = hardware.then_some(Touch { flags, counter });
        SshSignature { key: key.public, hash, signature: RawSignature { bytes, touch } }
    })
}

proptest! {
    #[test]
    fn armour_comes_back(signature in any_signature()) {
        let text = signature.to_armour();
        prop_assert!(text.lines().all(|line| line.len() <= COLUMNS));
        let read = SshSignature::parse(&text);
        prop_assert_eq!(read.as_ref(), Ok(&signature));
        prop_assert!(signature.verify(MESSAGE).is_err());
    }

    #[test]
    fn a_changed_character_is_not_good(at in any::<prop::sample::Index>(), byte in 0_u8..0x80) {
        let good = SshSignature::parse(ED_SHA512).unwrap();
        let mut text = ED_SHA512.as_bytes().to_vec();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(read) = SshSignature::parse(std::str::from_utf8(&text).unwrap()) {
            prop_assert!(read == good || read.verify(MESSAGE).is_err());
        }
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,80}") {
        let _ = SshSignature::parse(&text);
        let _ = SshSignature::parse(&format!("{BEGIN}\n{text}\n{END}"));
        let _ = SshSignature::parse(&format!("{BEGIN}{text}{END}"));
        for blob in [bytes.clone(), [MAGIC, VERSION, &bytes].concat()] {
            if let Ok(read) = SshSignature::parse(&armour(&blob)) {
                prop_assert_eq!(read.to_blob(), blob);
            }
        }
    }
}
