//! The machine's own `ssh-agent`, and agents that are not.

use super::super::agent::{Agent, MAX_MESSAGE};
use super::*;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// An `ssh-agent` of the test's own, ended with it.
struct RealAgent(Child);

impl Drop for RealAgent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(socket: &Path) -> Option<RealAgent> {
    let started = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(socket)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = started else {
        eprintln!("skipped: ssh-agent is not here; it is part of OpenSSH");
        return None;
    };
    let agent = RealAgent(child);
    let end = Instant::now() + Duration::from_secs(10);
    while UnixStream::connect(socket).is_err() {
        assert!(Instant::now() < end, "the agent does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(agent)
}

#[test]
fn the_agent_of_this_machine_signs() {
    let (folder, store) = store();
    let socket = folder.path().join("agent");
    let Some(_agent) = start(&socket) else { return };
    store.create("file", ada(), None).unwrap();
    let add = |path: &Path| {
        let added = tool("ssh-add", |c| c.arg("-q").arg(path).env("SSH_AUTH_SOCK", &socket)).unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    };
    add(&store.path("file"));
    // Another kind of key in the agent is in nobody's way.
    let rsa = folder.path().join("rsa");
    tool("ssh-keygen", |c| c.args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"]).arg(&rsa)).unwrap();
    add(&rsa);

    let agent = Agent::at(&socket);
    let held = agent.find("file").unwrap();
    assert_eq!(agent.find(&held.key.fingerprint()).unwrap(), held);
    let missing = agent.find("nobody").unwrap_err().to_string();
    assert!(missing.contains(&held.key.fingerprint()), "{missing}");

    let other = Keystore::new(&folder.path().join("other")).with_agent(agent.clone());
    let made = other.import_agent("agent", ada(), &held).unwrap();
    assert_eq!((made.source, other.is_encrypted(&made).unwrap()), (Source::Agent, None));
    assert!(!other.path("agent").exists() && other.path("agent.pub").exists());
    let signer = other.signer("agent", &Types("")).unwrap();
    let signature = signer.sign(b"data").unwrap();
    assert_eq!(signature, store.signer("file", &Types("")).unwrap().sign(b"data").unwrap());

    tool("ssh-add", |c| c.args(["-q", "-D"]).env("SSH_AUTH_SOCK", &socket)).unwrap();
    let refused = signer.sign(b"data").unwrap_err();
    assert!(matches!(refused, KeystoreError::Agent(AgentError::Refused)), "{refused}");
}

#[test]
fn an_agent_that_is_not_there_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let error = Agent::at(&folder.path().join("none")).keys().unwrap_err();
    assert!(matches!(error, AgentError::Unreachable { .. }), "{error}");
}

/// Answers every message with what the function makes of it.
fn fake(folder: &Path, answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> Agent {
    let socket = folder.join("fake");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut header = [0; 4];
            stream.read_exact(&mut header).unwrap();
            let mut message = vec![0; usize::try_from(u32::from_be_bytes(header)).unwrap()];
            stream.read_exact(&mut message).unwrap();
            // Who asked may have had enough before the end.
            let _ = stream.write_all(&answer(&message));
            if message.first() == Some(&13) && answer(&message).is_empty() {
                std::thread::sleep(Duration::from_secs(2));
            }
        }
    });
    Agent::at(&socket)
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

fn take<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let (length, tail) = rest.split_first_chunk::<4>().unwrap();
    let (head, tail) = tail.split_at(usize::try_from(u32::from_be_bytes(*length)).unwrap());
    *rest = tail;
    head
}

/// A key in hardware, in software: signs what a device signs, with the flags that it is told.
struct Device {
    secret: SigningKey,
    flags: u8,
}

const APPLICATION: &str = "ssh:";
const KIND: &[u8] = b"sk-ssh-ed25519@openssh.com";

impl Device {
    fn key(&self) -> PublicKey {
        let point = self.secret.verifying_key().to_bytes();
        let parts = [KIND, &point, APPLICATION.as_bytes()];
        PublicKey::from_blob(&parts.map(string).concat()).unwrap()
    }

    fn answer(&self, message: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        let (kind, mut rest) = message.split_first().unwrap();
        if *kind == 11 {
            body.extend([12, 0, 0, 0, 1]);
            body.extend([string(&self.key().to_blob()), string(b"my device")].concat());
        } else {
            assert_eq!(*kind, 13);
            assert_eq!(take(&mut rest), self.key().to_blob());
            let data = take(&mut rest);
            assert_eq!(rest, [0; 4]);
            let counter = 7u32.to_be_bytes();
            let signed = [
                Sha256::digest(APPLICATION).as_slice(),
                &[self.flags],
                counter.as_slice(),
                Sha256::digest(data).as_slice(),
            ]
            .concat();
            let made = self.secret.sign(&signed).to_bytes();
            let blob = [string(KIND), string(&made), vec![self.flags], counter.to_vec()].concat();
            body.push(14);
            body.extend(string(&blob));
        }
        string(&body)
    }
}

fn with_device(flags: u8) -> (tempfile::TempDir, Signer) {
    let (folder, store) = store();
    let device = Device { secret: SigningKey::from_bytes(&[7; 32]), flags };
    let agent = fake(folder.path(), move |message| device.answer(message));
    let store = store.with_agent(agent);
    let held = store.agent().unwrap().find("my device").unwrap();
    store.import_agent("device", ada(), &held).unwrap();
    let signer = store.signer("device", &Types("")).unwrap();
    (folder, signer)
}

#[test]
fn a_key_in_hardware_signs_when_it_is_touched() {
    let (_folder, signer) = with_device(1);
    assert!(signer.needs_touch() && signer.key().is_hardware());
    let signature = signer.sign(b"data").unwrap();
    let touch = signature.touch.unwrap();
    assert_eq!((touch.flags, touch.counter), (1, 7));
    assert!(ed25519::verify(signer.key(), b"data", &signature).is_ok());
}

#[test]
fn a_signature_without_a_touch_is_none() {
    let (_folder, signer) = with_device(0);
    let error = signer.sign(b"data").unwrap_err();
    assert!(
        matches!(error, KeystoreError::BadSignature { .. }) && error.to_string().contains("touch"),
        "{error}"
    );
}

#[test]
fn a_signature_of_something_else_never_gets_out() {
    let (folder, store) = store();
    let secret = SigningKey::from_bytes(&[9; 32]);
    let public = PublicKey::ed25519(secret.verifying_key().to_bytes()).unwrap();
    let agent = fake(folder.path(), move |_| {
        let made = secret.sign(b"a contract").to_bytes();
        string(&[vec![14], string(&[string(b"ssh-ed25519"), string(&made)].concat())].concat())
    });
    let store = store.with_agent(agent);
    let held = super::super::agent::AgentKey { key: public, comment: String::new() };
    store.import_agent("agent", ada(), &held).unwrap();
    let error = store.signer("agent", &Types("")).unwrap().sign(b"data").unwrap_err();
    assert!(matches!(error, KeystoreError::BadSignature { .. }), "{error}");
}

#[test]
fn garbage_is_not_understood_and_silence_is_not_waited_for() {
    for answer in [
        Vec::new(),
        vec![0; 4],
        vec![255; 64],
        u32::try_from(MAX_MESSAGE + 1).unwrap().to_be_bytes().to_vec(),
        vec![0, 0, 1, 0, 12, 0],
        string(&[12, 255, 255, 255, 255]),
        string(b"HTTP/1.1 400 Bad Request"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let shown = format!("{answer:?}");
        let error = fake(folder.path(), move |_| answer.clone()).keys().unwrap_err();
        assert!(matches!(error, AgentError::Garbled(_)), "{shown}: {error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let error = fake(folder.path(), |_| string(&[5])).keys().unwrap_err();
    assert!(matches!(error, AgentError::Refused), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let agent = fake(folder.path(), |_| Vec::new()).with_patience(Duration::from_millis(100));
    let key = PublicKey::ed25519(SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes()).unwrap();
    let began = Instant::now();
    let error = agent.sign(&key, b"data").unwrap_err();
    assert!(matches!(error, AgentError::Silent(_)), "{error}");
    assert!(began.elapsed() < Duration::from_secs(2));
}
