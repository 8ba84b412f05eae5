//! A daemon under test and what can be said to it.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How to start a daemon.
#[derive(Debug, Default, Clone)]
pub struct Setup {
    /// What `config.toml` holds.
    pub config: String,
    /// More arguments of `bonafide serve`.
    pub arguments: Vec<String>,
    /// What `watermark-keys.toml` holds.
    pub watermark_keys: String,
}

/// A daemon that runs until it is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    /// Host and port.
    pub address: String,
    /// The one-time link that it printed.
    pub link: String,
    /// The first token.
    pub token: String,
    /// Its folder, as `BONAFIDE_HOME`.
    pub home: tempfile::TempDir,
    log: Arc<Mutex<String>>,
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers in small letters, and their values.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{} {error}: {}", self.status, self.text))
    }

    /// The failure's name, if the answer is a failure of the one shape.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        let body: Value = serde_json::from_str(&self.text).ok()?;
        body.pointer("/error/message")?.as_str()?;
        Some(body.pointer("/error/code")?.as_str()?.to_owned())
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl Daemon {
    /// Starts one with the model for tests and waits until it scores; `None` if there is no model.
    #[must_use]
    pub fn start(setup: &Setup) -> Option<Self> {
        let model = crate::model()?;
        let home = tempfile::tempdir().expect("a folder");
        own_folder(&home.path().join("config"));
        std::fs::write(home.path().join("config/config.toml"), &setup.config).expect("settings");
        std::fs::write(home.path().join("config/watermark-keys.toml"), &setup.watermark_keys).expect("keys");
        let mut child = crate::bonafide()
            .args(["serve", "--listen", "127.0.0.1:0", "--model"])
            .arg(model)
            .args(&setup.arguments)
            .env("BONAFIDE_HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("bonafide starts");
        let log = follow(child.stderr.take().expect("stderr"));
        let mut said = BufReader::new(child.stdout.take().expect("stdout")).lines().map_while(Result::ok);
        let mut after = |mark: &str| {
            let line = said.find_map(|line| line.split_once(mark).map(|(_, rest)| rest.to_owned()));
            line.unwrap_or_else(|| panic!("no `{mark}`: {}", log.lock().expect("log")))
        };
        let address = after(" listens on http://");
        let link = after("open ").split(' ').next().unwrap_or_default().to_owned();
        after("token for programs is in ");
        let token = std::fs::read_to_string(home.path().join("config/token")).expect("the first token");
        let daemon = Self { child, address, link, token: token.trim().to_owned(), home, log };
        daemon.until("it is ready", |daemon| daemon.get("/v1/health").json()["status"] == "ok");
        Some(daemon)
    }

    /// A GET with the first token.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[("x-api-key", &self.token)], b"")
    }

    /// A POST of JSON with the first token.
    #[must_use]
    pub fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.send("POST", path, &[("x-api-key", &self.token), ("content-type", "application/json")], body)
    }

    /// Scores, as a polite client does: while the daemon is busy it waits as long as it is told.
    #[must_use]
    pub fn score(&self, body: &Value) -> Answer {
        for _ in 0..20 {
            let answer = self.score_once(body);
            if answer.status != 429 {
                return answer;
            }
            let seconds = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
            std::thread::sleep(Duration::from_secs(seconds.expect("a number of seconds")));
        }
        self.score_once(body)
    }

    /// Scores; 429 is an answer like another.
    #[must_use]
    pub fn score_once(&self, body: &Value) -> Answer {
        self.post("/v1/score", body.to_string().as_bytes())
    }

    /// A request with exactly these headers beside `host`, `content-length` and `connection`.
    #[must_use]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let head = self.head(method, path, headers, body.len());
        raw(&self.address, &[head.as_bytes(), body].concat())
    }

    /// The bytes of a request up to its body.
    #[must_use]
    pub fn head(&self, method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> String {
        let host = &self.address;
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n"
        );
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        head + "\r\n"
    }

    /// A value of `/metrics`, 0 if it is not there yet.
    #[must_use]
    pub fn metric(&self, name: &str) -> f64 {
        let metrics = self.get("/metrics");
        assert_eq!(metrics.status, 200, "{}", metrics.text);
        let value =
            metrics.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or(0.0)
    }

    /// Asks again and again until something holds; each question is a request or more, so nothing spins.
    ///
    /// # Panics
    /// If it does not hold within two minutes, or the daemon ends.
    pub fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < Duration::from_secs(120), "{what}: not in time\n{}", self.log());
        }
    }

    /// All that it wrote to stderr.
    ///
    /// # Panics
    /// If the thread that reads it did.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().expect("log").clone()
    }

    /// Where a file of its config folder is.
    #[must_use]
    pub fn config(&self, name: &str) -> PathBuf {
        self.home.path().join("config").join(name)
    }

    /// Sends SIGTERM.
    ///
    /// # Panics
    /// If there is no `kill`.
    pub fn terminate(&self) {
        let done = std::process::Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(done.expect("kill").success());
    }

    /// Waits for its end and gives its exit code.
    ///
    /// # Panics
    /// If the system can't tell.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends bytes and reads one answer, to the end of the connection.
///
/// # Panics
/// If there is no connection, or no HTTP answer.
#[must_use]
pub fn raw(address: &str, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    stream.set_read_timeout(Some(Duration::from_secs(150))).expect("a timeout");
    // A server may answer before it has read everything.
    let _ = stream.write_all(request);
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap_or_else(|error| panic!("no whole answer: {error}"));
    parse(&String::from_utf8(bytes).expect("text"))
}

fn parse(answer: &str) -> Answer {
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {answer:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    let header = |line: &str| {
        line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Answer { status, headers: lines.filter_map(header).collect(), text: text.to_owned() }
}

/// A folder for the user alone, as the program makes it: it looks at nobody else's.
fn own_folder(path: &Path) {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).expect("a folder");
}

fn follow(stderr: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let log = Arc::new(Mutex::new(String::new()));
    let copy = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut log = copy.lock().expect("log");
            log.push_str(&line);
            log.push('\n');
        }
    });
    log
}
