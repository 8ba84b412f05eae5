//! A site for tests, on this machine.
#![allow(clippy::unwrap_used)]

use super::Directory;
use bonafide_core::signature::published::{KeyList, ListedKey, WELL_KNOWN_PATH};
use bonafide_core::signature::statement::Identity;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Serves raw responses by path; for a path without one it hangs up.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    answers: Arc<Mutex<HashMap<String, String>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let site = Self { address, answers: Arc::default(), requests: Arc::default() };
        let (answers, requests) = (Arc::clone(&site.answers), Arc::clone(&site.requests));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut first, mut line) = (String::new(), String::new());
                reader.read_line(&mut first).unwrap_or_default();
                while reader.read_line(&mut line).unwrap_or_default() > 2 {
                    line.clear();
                }
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                let answer = answers.lock().unwrap().get(&path).cloned();
                requests.lock().unwrap().push(path);
                // The client may have seen enough and gone.
                let _ = stream.write_all(answer.unwrap_or_default().as_bytes());
            }
        });
        site
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity::parse(&format!("https://localhost:{}", self.address.port())).unwrap()
    }

    pub(crate) fn directory(&self, folder: &Path) -> Directory {
        Directory::for_tests(&folder.join("cache"), self.address)
    }

    pub(crate) fn set(&self, path: &str, raw: String) {
        self.answers.lock().unwrap().insert(path.to_owned(), raw);
    }

    pub(crate) fn publish(&self, keys: Vec<ListedKey>) {
        let list = serde_json::to_string(&KeyList { version: 1, keys }).unwrap();
        self.set(WELL_KNOWN_PATH, ok("", &list));
    }

    pub(crate) fn hang_up(&self) {
        self.answers.lock().unwrap().clear();
    }

    /// How often it was asked.
    pub(crate) fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

pub(crate) fn ok(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

pub(crate) fn status(line: &str) -> String {
    format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

pub(crate) fn moved(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}
