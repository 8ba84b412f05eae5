//! `bonafide pair`: lets browser extensions in, at the terminal instead of on the daemon's page.

use super::Error;
use super::daemon::Daemon;
use crate::access::TokenStore;
use crate::config::Config;
use crate::paths::Paths;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Write};
use std::net::SocketAddr;

/// Let a browser extension use the running daemon
///
/// Lists the extensions that ask to be paired, each with the code that the extension must be showing, and asks whether to
/// let it in. The daemon's page does the same.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Let in the extension that shows this code, without a question
    #[arg(long, value_name = "CODE")]
    yes: Option<String>,
    /// Print those that wait as JSON, and ask nothing
    #[arg(long, conflicts_with = "yes")]
    json: bool,
    /// The daemon's address, if it is not the one in config.toml
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

#[derive(Debug, Deserialize)]
struct Waiting {
    id: String,
    extension: String,
    browser: String,
    code: String,
}

pub(super) fn run(args: &Args) -> Result<(), Error> {
    let paths = Paths::from_env()?;
    let address = args.listen.map_or_else(|| Config::load(&paths.config).map(|config| config.listen), Ok)?;
    let daemon = Daemon::at(address, &TokenStore::new(&paths.config))?;
    let listed = daemon.get("/v1/pair")?;
    if args.json {
        anstream::println!("{}", serde_json::to_string_pretty(&listed)?);
        return Ok(());
    }
    let requests = listed.get("requests").cloned().unwrap_or(Value::Null);
    let waiting: Vec<Waiting> = serde_json::from_value(requests)
        .map_err(|error| format!("the daemon is of another version than this program ({error})"))?;
    if let Some(code) = &args.yes {
        let one = waiting.iter().find(|one| digits(&one.code) == digits(code));
        let one = one.ok_or("no extension with this code waits: ask again from its popup")?;
        return answer(&daemon, one, true);
    }
    if waiting.is_empty() {
        anstream::println!("no extension waits: choose “Pair” in its popup, then run this again");
        return Ok(());
    }
    let asks = std::io::stdin().is_terminal();
    for one in &waiting {
        anstream::println!("{} extension {}: code {}", one.browser, one.extension, one.code);
        if asks {
            answer(&daemon, one, agrees()?)?;
        }
    }
    if !asks {
        anstream::println!("`bonafide pair --yes CODE` lets the one in that shows this code");
    }
    Ok(())
}

fn digits(code: &str) -> String {
    code.chars().filter(char::is_ascii_digit).collect()
}

/// Whatever is not a clear yes is a no.
fn agrees() -> Result<bool, Error> {
    anstream::print!("does its popup show the same code, and do you want to let it in? [y/N] ");
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn answer(daemon: &Daemon, one: &Waiting, yes: bool) -> Result<(), Error> {
    let path = if yes { "/v1/pair/confirm" } else { "/v1/pair/refuse" };
    daemon.post(path, &json!({"id": one.id}))?;
    let said = if yes { "is let in; `bonafide token list` shows its token" } else { "was refused" };
    anstream::println!("{} {said}", one.extension);
    Ok(())
}
