//! `bonafide token`: who may call the daemon.

use super::Error;
use crate::access::{FIRST_NAME, Scope, TokenStore};
use crate::config::Config;
use crate::paths::Paths;
use std::net::SocketAddr;
use std::time::Duration;

/// Access tokens of the daemon: make, list and revoke them
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a token and print it: it is not shown again
    Add {
        /// A name to know it by
        name: String,
        /// What it allows; may be given several times
        #[arg(long = "scope", value_enum, default_values_t = [Scope::Score])]
        scopes: Vec<Scope>,
    },
    /// List all tokens, without their secrets
    List,
    /// End a token, at once, also for a daemon that is running
    Revoke {
        /// Its name
        name: String,
    },
    /// Print where the first token is kept
    Path,
    /// Print a new one-time link to the web page of the running daemon
    Link {
        /// The daemon's address, if it is not the one in config.toml
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<SocketAddr>,
    },
}

pub(super) fn run(args: Args) -> Result<(), Error> {
    let paths = Paths::from_env()?;
    let store = TokenStore::new(&paths.config);
    match args.action {
        Action::Add { name, scopes } => {
            // Else the daemon's first start would take this one for the first.
            store.ensure_first()?;
            anstream::println!("{}", store.add(&name, &scopes)?);
        }
        Action::List => {
            for token in store.list()? {
                let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.name()).collect();
                anstream::println!("{}\t{}", token.name, scopes.join(","));
            }
        }
        Action::Revoke { name } => store.revoke(&name)?,
        Action::Path => anstream::println!("{}", store.first_token_path().display()),
        Action::Link { listen } => {
            let config = Config::load(&paths.config)?;
            anstream::println!("{}", link(listen.unwrap_or(config.listen), &store)?);
        }
    }
    Ok(())
}

/// Asks the running daemon, for links live in its memory.
fn link(address: SocketAddr, store: &TokenStore) -> Result<String, Error> {
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
    let mut reply = agent
        .post(format!("http://{address}/v1/links"))
        .header("x-api-key", token.trim())
        .header("content-type", "application/json")
        .send("{}")
        .map_err(|error| {
            format!("no daemon answers on {address} ({error}): start one with `bonafide serve`")
        })?;
    let value: serde_json::Value = serde_json::from_str(&reply.body_mut().read_to_string()?)?;
    match value.get("url").and_then(serde_json::Value::as_str) {
        Some(url) => Ok(url.to_owned()),
        None => {
            let message = value.pointer("/error/message").and_then(serde_json::Value::as_str);
            Err(message.unwrap_or("the program on this port is not a bonafide daemon").to_owned().into())
        }
    }
}
