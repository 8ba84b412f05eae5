//! Options together with the names of those that the user gave.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, FromArgMatches};

/// A set of options, some given and the others at their defaults.
#[derive(Debug, Clone, Default)]
pub struct Given<T> {
    /// The options.
    pub options: T,
    /// The names of those given, with their dashes.
    pub names: Vec<String>,
}

impl<T: clap::Args> FromArgMatches for Given<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let own = T::augment_args(Command::new(""));
        let given = own
            .get_arguments()
            .filter(|arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine));
        let names = given.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect();
        Ok(Self { options: T::from_arg_matches(matches)?, names })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<T: clap::Args> clap::Args for Given<T> {
    fn augment_args(command: Command) -> Command {
        T::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        T::augment_args_for_update(command)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser;

    #[derive(Debug, clap::Args)]
    struct Options {
        #[arg(long, default_value_t = 3)]
        some: u32,
        #[arg(long)]
        flag: bool,
        #[arg(long)]
        other: Option<u32>,
    }

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        given: Given<Options>,
        #[arg(long)]
        beside: bool,
    }

    #[test]
    fn a_default_is_not_given_and_the_same_value_is() {
        let given = |args: &[&str]| {
            let program = Program::try_parse_from([&["program"], args].concat()).unwrap();
            (program.given.names, program.given.options.some, program.beside)
        };
        assert_eq!(given(&["--beside"]), (vec![], 3, true));
        assert_eq!(
            given(&["--some", "3", "--flag"]),
            (vec!["--some".to_owned(), "--flag".to_owned()], 3, false)
        );
        let program = Program::try_parse_from(["program", "--other", "2"]).unwrap();
        assert_eq!((program.given.names, program.given.options.other), (vec!["--other".to_owned()], Some(2)));
        assert!(!program.given.options.flag);
    }
}
