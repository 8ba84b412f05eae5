//! `bonafide token`: who may call the daemon.

use super::Error;
use super::daemon::Daemon;
use crate::access::{Scope, TokenStore};
use crate::config::Config;
use crate::paths::Paths;
use serde_json::{Value, json};
use std::net::SocketAddr;

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
    /// List all tokens with their scopes, without their secrets; those of browser extensions with their origin
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
                let origin = token.origin.map(|origin| format!("\t{origin}")).unwrap_or_default();
                anstream::println!("{}\t{}{origin}", token.name, scopes.join(","));
            }
        }
        Action::Revoke { name } => store.revoke(&name)?,
        Action::Path => anstream::println!("{}", store.first_token_path().display()),
        Action::Link { listen } => {
            let config = Config::load(&paths.config)?;
            let daemon = Daemon::at(listen.unwrap_or(config.listen), &store)?;
            let reply = daemon.post("/v1/links", &json!({}))?;
            let url = reply.get("url").and_then(Value::as_str);
            anstream::println!("{}", url.ok_or("the program on this port is not a bonafide daemon")?);
        }
    }
    Ok(())
}
