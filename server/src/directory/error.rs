//! Why published keys can't be had.

use bonafide_core::signature::published::KeyListError;
use std::net::IpAddr;

/// Why what an identity publishes can't be had. Every message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Not an address that is fetched.
    #[error(
        "{url:?} is not an address that is fetched: it must begin with https:// and hold no user name or password"
    )]
    BadUrl {
        /// What was given.
        url: String,
    },
    /// A side file of another origin.
    #[error(
        "{page} links to statements at {url}, another origin, which are not fetched: save that file and give it"
    )]
    ForeignSide {
        /// The file.
        url: String,
        /// The page.
        page: String,
    },
    /// The address leads to this machine or to a private network.
    #[error(
        "{host} is {address}, an address of this machine or of a private network, which is never fetched: get the author's key in another way and add it with `bonafide key trust`"
    )]
    Private {
        /// The name in the address.
        host: String,
        /// What it resolves to.
        address: IpAddr,
    },
    /// A redirect to another origin.
    #[error(
        "{host} redirects to {to}, another origin, which is not followed: ask the author to serve the file itself at {host}"
    )]
    OtherOrigin {
        /// Who redirects.
        host: String,
        /// Where to.
        to: String,
    },
    /// Too many redirects.
    #[error("{host} redirects more than 3 times: ask the author to serve the file without redirects")]
    TooManyRedirects {
        /// Who redirects.
        host: String,
    },
    /// There is no such file or account.
    #[error(
        "{host} answered {status} for {path}: ask the author to publish it, or get the key in another way and add it with `bonafide key trust`"
    )]
    NotPublished {
        /// Who was asked.
        host: String,
        /// For what.
        path: String,
        /// HTTP status.
        status: u16,
    },
    /// The server answered with an error.
    #[error("{host} answered {status}: try again in ten minutes")]
    Status {
        /// Who was asked.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// No answer.
    #[error("{host} could not be reached ({reason}): check the network and try again in ten minutes")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// More than is read.
    #[error("{host} sent more than 1 MB: ask the author for a shorter file")]
    TooLarge {
        /// Who was asked.
        host: String,
    },
    /// Not what it should be.
    #[error("what {host} sent can't be read ({reason}): ask the author to repair it")]
    Unreadable {
        /// Who was asked.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// Not a list of keys.
    #[error("what {host} publishes can't be used ({source}): ask the author to repair it")]
    List {
        /// Who was asked.
        host: String,
        /// What is wrong.
        source: KeyListError,
    },
}

impl DirectoryError {
    /// Whether the site might say the same as before if it could be asked: then an older answer is of use.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            // Too many questions, or something broken behind it. GitHub says 403 for too many.
            Self::Status { status, .. } => matches!(status, 403 | 429 | 500..),
            _ => false,
        }
    }
}
