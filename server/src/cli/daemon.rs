//! Asking the running daemon, for what lives in its memory.

use super::Error;
use crate::access::{FIRST_NAME, TokenStore};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

/// A daemon that listens on this machine, and the first token, which opens it.
pub(super) struct Daemon {
    address: SocketAddr,
    token: String,
    agent: ureq::Agent,
}

impl Daemon {
    pub(super) fn at(address: SocketAddr, store: &TokenStore) -> Result<Self, Error> {
        let path = store.first_token_path();
        let token = std::fs::read_to_string(&path).map_err(|error| {
            format!("the token `{FIRST_NAME}` is needed, and {} can't be read: {error}", path.display())
        })?;
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(5)))
            .proxy(None)
            .http_status_as_error(false)
            .build()
            .new_agent();
        Ok(Self { address, token: token.trim().to_owned(), agent })
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, Error> {
        let request = self.agent.get(self.url(path)).header("x-api-key", &self.token);
        self.read(request.call())
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        let request = self.agent.post(self.url(path)).header("x-api-key", &self.token);
        self.read(request.header("content-type", "application/json").send(body.to_string()))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What the daemon says, or its refusal as an error.
    fn read(&self, reply: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, Error> {
        let mut reply = reply.map_err(|error| {
            format!("no daemon answers on {} ({error}): start one with `bonafide serve`", self.address)
        })?;
        let strange = "the program on this port is not a bonafide daemon";
        let value: Value = serde_json::from_str(&reply.body_mut().read_to_string()?).map_err(|_| strange)?;
        if reply.status().is_success() {
            return Ok(value);
        }
        let message = value.pointer("/error/message").and_then(Value::as_str);
        Err(message.unwrap_or(strange).to_owned().into())
    }
}
