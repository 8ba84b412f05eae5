//! The Hugging Face hub as a source, for machines that reach it. `HF_ENDPOINT` names a mirror.

use super::{Source, SourceError};
use crate::model::progress::Progress;
use hf_hub::api::sync::{ApiBuilder, ApiError};
use hf_hub::{Repo, RepoType};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// hf-hub sets no time limit, so a network that swallows packets would hold us for minutes; a first request
/// with this limit tells.
const REACH: Duration = Duration::from_secs(20);

/// A connection that breaks is taken up again this often, from where it broke.
const RETRIES: usize = 3;

/// A file in a repository of the hub.
pub(super) struct Hub {
    repository: String,
    revision: String,
    file: String,
    endpoint: Option<String>,
}

impl Hub {
    pub(super) fn new(repository: String, revision: String, file: String) -> Self {
        Self { repository, revision, file, endpoint: None }
    }
}

impl Source for Hub {
    fn label(&self) -> String {
        format!("Hugging Face hub ({})", self.repository)
    }

    fn fetch(
        &self,
        work: &Path,
        sink: &mut dyn Write,
        progress: &mut dyn Progress,
    ) -> Result<(), SourceError> {
        let mut builder = ApiBuilder::from_env()
            .with_cache_dir(work.to_owned())
            .with_retries(RETRIES)
            .with_user_agent("bonafide", env!("CARGO_PKG_VERSION"));
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint.clone());
        }
        let api = builder.build().map_err(failed)?;
        let repo =
            api.repo(Repo::with_revision(self.repository.clone(), RepoType::Model, self.revision.clone()));
        progress.begin(&format!("Asking the {}", self.label()), None);
        reach(&repo.url(&self.file))?;
        let bar = Bar { label: self.label(), progress, done: 0 };
        let path = repo.download_with_progress(&self.file, bar).map_err(failed)?;
        std::io::copy(&mut std::fs::File::open(path)?, sink)?;
        Ok(())
    }
}

/// Whether anything answers at this address; what it answers is hf-hub's to judge.
fn reach(url: &str) -> Result<(), SourceError> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(REACH))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .build()
        .into();
    agent.head(url).call().map(drop).map_err(|error| SourceError::Hub(format!("can't be reached: {error}")))
}

fn failed(error: ApiError) -> SourceError {
    match error {
        ApiError::IoError(error) => error.into(),
        ApiError::TooManyRetries(error) => failed(*error),
        error => SourceError::Hub(error.to_string()),
    }
}

struct Bar<'a> {
    label: String,
    progress: &'a mut dyn Progress,
    done: u64,
}

impl hf_hub::api::Progress for Bar<'_> {
    fn init(&mut self, size: usize, _filename: &str) {
        self.done = 0;
        self.progress.begin(&format!("Downloading from the {}", self.label), Some(size as u64));
    }

    fn update(&mut self, size: usize) {
        self.done += size as u64;
        self.progress.at(self.done);
    }

    fn finish(&mut self) {}
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::progress::Silent;
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;

    /// A hub with one file, on loopback, for `connections` requests.
    fn hub(content: &'static [u8], connections: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for _ in 0..connections {
                let (mut stream, _) = listener.accept().unwrap();
                let lines: Vec<String> = BufReader::new(&stream)
                    .lines()
                    .map(Result::unwrap)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let body = match () {
                    () if lines[0].starts_with("HEAD") => &b""[..],
                    () if lines.iter().any(|line| line.to_lowercase() == "range: bytes=0-0") => &content[..1],
                    () => content,
                };
                let known = lines[0].contains("/owner/name/resolve/abc/model.gguf");
                let status = if known { "206 Partial Content" } else { "404 Not Found" };
                let head = format!(
                    "HTTP/1.1 {status}\r\nConnection: close\r\nx-repo-commit: abc\r\nETag: \"e1\"\r\nContent-Range: bytes 0-{}/{}\r\nContent-Length: {}\r\n\r\n",
                    body.len().saturating_sub(1),
                    content.len(),
                    body.len()
                );
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(body).unwrap();
            }
        });
        address
    }

    fn fetch(endpoint: String, file: &str) -> Result<Vec<u8>, SourceError> {
        let work = tempfile::tempdir().unwrap();
        let mut source = Hub::new("owner/name".to_owned(), "abc".to_owned(), file.to_owned());
        source.endpoint = Some(endpoint);
        let mut out = Vec::new();
        source.fetch(work.path(), &mut out, &mut Silent)?;
        Ok(out)
    }

    #[test]
    fn a_file_comes_whole() {
        let content = b"GGUF and then some";
        assert_eq!(fetch(hub(content, 3), "model.gguf").unwrap(), content);
    }

    #[test]
    fn absent_files_and_hubs_are_errors() {
        let absent = fetch(hub(b"GGUF", 2), "other.gguf").unwrap_err();
        assert!(absent.to_string().contains("404"), "{absent}");
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let unreachable = fetch(format!("http://{closed}"), "model.gguf").unwrap_err();
        assert!(unreachable.to_string().contains("can't be reached"), "{unreachable}");
    }
}
