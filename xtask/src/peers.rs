//! What the tests with other people's software need: OpenSSH, npm packages with their types, Python packages.

use crate::report::Status;
use crate::tools::{need, root, run};
use crate::web;
use std::process::Command;

pub(crate) fn step() -> Result<Status, String> {
    let folder = root().join("tests/interop");
    need(&["ssh-keygen"], "openssh-client")?;
    web::packages(&folder, &["tsconfig.json"])?;
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
