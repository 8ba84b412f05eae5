//! The `bonafide` command.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    bonafide::cli::main()
}
