//! An `ssh-agent` of software that holds one key (draft-miller-ssh-agent): it lists it and signs with it.

use bonafide_tests::signer::Signer;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// Runs until the listener's last connection; the thread ends with the process.
pub(crate) fn serve(socket: &Path, signer: Signer) -> std::thread::JoinHandle<()> {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            answer(stream, &signer);
        }
    })
}

fn answer(mut stream: UnixStream, signer: &Signer) {
    let mut length = [0; 4];
    while stream.read_exact(&mut length).is_ok() {
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut request).unwrap();
        let answer = reply(&request, signer);
        stream.write_all(&string(&answer)).unwrap();
    }
}

fn reply(request: &[u8], signer: &Signer) -> Vec<u8> {
    let key = signer.key.to_blob();
    match request.split_first() {
        Some((&REQUEST_IDENTITIES, [])) => {
            [&[IDENTITIES_ANSWER, 0, 0, 0, 1][..], &string(&key), &string(b"sk")].concat()
        }
        Some((&SIGN_REQUEST, rest)) => {
            let (asked, rest) = take(rest);
            let (data, _flags) = take(rest);
            if asked != key {
                return vec![FAILURE];
            }
            [&[SIGN_RESPONSE][..], &string(&signer.sign(data).to_ssh_blob())].concat()
        }
        _ => vec![FAILURE],
    }
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn take(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = bytes.split_first_chunk().unwrap();
    rest.split_at(u32::from_be_bytes(*length) as usize)
}
