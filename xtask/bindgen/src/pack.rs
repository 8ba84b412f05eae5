//! Zip files of which two from the same folder are the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Packs all files of a folder: in the order of their names, all of one date, with one mode.
pub(crate) fn zip(folder: &Path, file: &Path) -> Result<(), String> {
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files)?;
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in &files {
        writer.start_file(name.as_str(), options).map_err(|error| format!("{name}: {error}"))?;
        writer.write_all(bytes).map_err(|error| format!("{name}: {error}"))?;
    }
    let bytes = writer.finish().map_err(|error| error.to_string())?.into_inner();
    fs::write(file, &bytes).map_err(|error| format!("{}: {error}", file.display()))?;
    eprintln!("{}: {} files, {} bytes", file.display(), files.len(), bytes.len());
    Ok(())
}

/// The files by their names in the archive, where every path has slashes.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, fs::read(entry.path()).map_err(failed)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name.repeat(50)).unwrap();
        }
        folder
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let one = folder(&["manifest.json", "icons/16.png", "_locales/en/messages.json"]);
        let two = folder(&["_locales/en/messages.json", "icons/16.png", "manifest.json"]);
        let other = folder(&["_locales/en/messages.json", "icons/16.png", "manifest2.json"]);
        let out = tempfile::tempdir().unwrap();
        let packed = |folder: &tempfile::TempDir, name: &str| {
            let file = out.path().join(name);
            zip(folder.path(), &file).unwrap();
            fs::read(file).unwrap()
        };
        let first = packed(&one, "one.zip");
        assert!(first == packed(&two, "two.zip"));
        assert!(first != packed(&other, "other.zip"));
        let archive = zip::ZipArchive::new(Cursor::new(first)).unwrap();
        let names: Vec<&str> = archive.file_names().collect();
        assert_eq!(names.len(), 3);
        assert!(names.contains(&"_locales/en/messages.json"));
    }
}
