//! What the tests with other people's software need: OpenSSH, npm packages with their types, Python packages.

use crate::report::Status;
use crate::tools::{need, root, run};
use std::process::Command;

pub(crate) fn step() -> Result<Status, String> {
    let folder = root().join("tests/interop");
    need(&["ssh-keygen"], "openssh-client")?;
    let npm = need(&["npm"], "npm")?;
    run(Command::new(&npm).args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    run(Command::new(&npm)
        .args(["exec", "--no", "--", "tsc", "--noEmit", "--project", "tsconfig.json"])
        .current_dir(&folder))?;
    // Into a folder of their own: neither the system's packages nor the user's are touched.
    let python = need(&["python3"], "python3-pip")?;
    run(Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--upgrade", "--target"])
        .arg(root().join("target/peers"))
        .args(["--requirement", "requirements.txt"])
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .current_dir(&folder))?;
    Ok(Status::Passed)
}
