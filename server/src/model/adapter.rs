//! What was trained, as the user names it.

use crate::engine::Adapter;
use std::path::PathBuf;

/// Options of the commands that score.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct AdapterArgs {
    /// What `bonafide train detector` wrote, instead of what is built in; its calibration goes with --calibration
    #[arg(long, value_name = "FILE")]
    adapter: Option<PathBuf>,
    /// Nothing trained: the token statistics alone decide
    #[arg(long, conflicts_with = "adapter")]
    no_adapter: bool,
}

impl AdapterArgs {
    /// The choice; `configured` is that of the settings: `Some(false)` for none.
    #[must_use]
    pub fn choice(&self, configured: Option<bool>) -> Adapter {
        match &self.adapter {
            Some(path) => Adapter::File(path.clone()),
            None if self.no_adapter || configured == Some(false) => Adapter::None,
            None => Adapter::BuiltIn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_goes_before_the_settings() {
        let file = AdapterArgs { adapter: Some(PathBuf::from("p")), no_adapter: false };
        assert_eq!(file.choice(Some(false)), Adapter::File(PathBuf::from("p")));
        assert_eq!(AdapterArgs::default().choice(Some(false)), Adapter::None);
        assert_eq!(AdapterArgs::default().choice(None), Adapter::BuiltIn);
        assert_eq!(AdapterArgs { adapter: None, no_adapter: true }.choice(Some(true)), Adapter::None);
    }
}
