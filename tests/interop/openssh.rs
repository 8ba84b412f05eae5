//! `ssh-keygen -Y verify` takes what we sign, and we take what `ssh-keygen -Y sign` makes; for both types of keys.

use super::{TEXT, agent, fails, output, succeeds, there};
use bonafide_core::signature::canonical::Stream;
use bonafide_core::signature::carrier::{Carrier, Signed};
use bonafide_core::signature::check::{Outcome, check};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::page::Page;
use bonafide_core::signature::published::KeyFacts;
use bonafide_core::signature::sshsig::{NAMESPACE, SshSignature};
use bonafide_core::signature::statement::Statement;
use bonafide_tests::signer::Signer;
use std::path::Path;
use std::process::Command;

fn is_there() -> bool {
    // It has no --version; called without arguments it complains, which is enough.
    let starts = Command::new("ssh-keygen").arg("-?").output().is_ok();
    there(starts, "ssh-keygen is not installed: install openssh-client")
}

fn keygen(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("ssh-keygen");
    command.args(arguments).current_dir(folder).env_remove("SSH_AUTH_SOCK");
    command
}

const VERIFY: &[&str] = &["-Y", "verify", "-f", "allowed", "-I", "ada", "-n", NAMESPACE, "-s", "signature"];

#[test]
fn openssh_accepts_ours() {
    if !is_there() {
        return;
    }
    for signer in [Signer::new(7), Signer::hardware(7)] {
        let folder = tempfile::tempdir().unwrap();
        let signed = signer.sign_stream(&Stream::of_text(TEXT));
        let Signed::Ssh { statement, signature } = &signed else { panic!() };
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("allowed", &format!("ada namespaces=\"{NAMESPACE}\" {}\n", signer.key.to_openssh()));
        write("signature", &signature.to_armour());
        succeeds(&mut keygen(folder.path(), VERIFY), &statement.to_jcs());
        fails(&mut keygen(folder.path(), VERIFY), &[statement.to_jcs(), b" ".to_vec()].concat());
        write("allowed", &format!("ada {}\n", Signer::new(8).key.to_openssh()));
        fails(&mut keygen(folder.path(), VERIFY), &statement.to_jcs());
    }
}

fn is_accepted(statement: Statement, signature: SshSignature) -> bool {
    let mut page = Page::of_text(TEXT).remove(0);
    let json = Signed::Ssh { statement: statement.clone(), signature }.to_value().to_string();
    page.add_side_file(Carrier::SideFile, &json, true);
    let known = KeyFacts { contact: Some("Ada".to_owned()), ..KeyFacts::default() };
    check(&page)[0].report(&page, &known, statement.date).result == Outcome::Trusted
}

#[test]
fn we_accept_what_openssh_signs() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    succeeds(
        &mut keygen(folder.path(), &["-q", "-t", "ed25519", "-N", "", "-f", "key", "-C", "a comment"]),
        b"",
    );
    let line = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
    let key = PublicKey::from_openssh(&line).unwrap();
    let told = succeeds(&mut keygen(folder.path(), &["-l", "-f", "key.pub"]), b"");
    assert!(String::from_utf8(told).unwrap().contains(&key.fingerprint()));
    let statement = Statement::about(&Stream::of_text(TEXT), Signer::facts()).unwrap();
    for (hash, namespace, good) in
        [("sha512", NAMESPACE, true), ("sha256", NAMESPACE, true), ("sha512", "file", false)]
    {
        let hash = format!("hashalg={hash}");
        let sign = ["-Y", "sign", "-q", "-O", &hash, "-f", "key", "-n", namespace];
        let armour = succeeds(&mut keygen(folder.path(), &sign), &statement.to_jcs());
        match SshSignature::parse(&String::from_utf8(armour).unwrap()) {
            Ok(signature) => {
                assert!(good && signature.key == key && is_accepted(statement.clone(), signature));
            }
            Err(error) => assert!(!good && error.to_string().contains("file"), "{error}"),
        }
    }
    succeeds(&mut keygen(folder.path(), &["-q", "-t", "ecdsa", "-N", "", "-f", "other"]), b"");
    let other = ["-Y", "sign", "-q", "-f", "other", "-n", NAMESPACE];
    let armour = succeeds(&mut keygen(folder.path(), &other), &statement.to_jcs());
    assert!(SshSignature::parse(&String::from_utf8(armour).unwrap()).is_err());
}

/// A key in hardware signs behind an agent, which here is made of software.
#[cfg(unix)]
#[test]
fn we_accept_what_openssh_signs_with_a_hardware_key() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::hardware(9);
    std::fs::write(folder.path().join("key.pub"), signer.key.to_openssh() + " sk\n").unwrap();
    let statement = Statement::about(&Stream::of_text(TEXT), Signer::facts()).unwrap();
    let socket = folder.path().join("agent");
    let agent = agent::serve(&socket, Signer::hardware(9));
    let mut sign = keygen(folder.path(), &["-Y", "sign", "-q", "-f", "key.pub", "-n", NAMESPACE]);
    let made = output(sign.env("SSH_AUTH_SOCK", &socket), &statement.to_jcs());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    drop(agent);
    let signature = SshSignature::parse(&String::from_utf8(made.stdout).unwrap()).unwrap();
    assert!(signature.key == signer.key && signature.signature.touch.is_some());
    assert!(is_accepted(statement, signature));
}
