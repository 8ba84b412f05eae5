//! The file of an author: an adapter, and the texts of others that a text is ranked among.
//!
//! Safetensors in f32, in the data folder below `authors`: the tensors of [`Adapter`], and `others.{length}` with the ratio
//! of each other text's first `length` tokens. The metadata is the JSON of [`Header`] under the key `bonafide`. An adapter
//! remembers passages of what it was fitted to, so only its user may read the file.

use super::others::{LEAST_OTHERS, Others, lengths};
use super::{MOST_TOKENS, StyleError, io};
use crate::model::lora::file::{Adapter, Meta};
use crate::model::tensors::{Numbers, Tensors};
use crate::private;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The version that is written and read.
pub const VERSION: u32 = 1;
/// No file of an author is longer.
const MOST_BYTES: u64 = 1 << 28;
/// How the names of files end.
const EXTENSION: &str = "safetensors";

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub version: u32,
    /// The author.
    pub author: String,
    /// Name of the model.
    pub model: String,
    /// What the adapter says of itself: the model's SHA-256 as well.
    pub adapter: Meta,
}

/// An author as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// Name of the model that is adapted.
    pub model: String,
    pub(super) adapter: Adapter,
    pub(super) others: Others,
}

impl Author {
    /// SHA-256 of the model file that is adapted, in hexadecimal.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.adapter.meta.base
    }

    /// Whether this is the model that the author was learned with.
    pub fn check(&self, sha256: &str) -> Result<(), StyleError> {
        if self.base().eq_ignore_ascii_case(sha256) {
            return Ok(());
        }
        Err(StyleError::OtherModel { name: self.name.clone(), model: self.model.clone() })
    }

    /// The file's bytes.
    pub fn write(&self) -> Result<Vec<u8>, StyleError> {
        let wrong = |reason: String| StyleError::Input(format!("the author can't be kept: {reason}"));
        let header = Header {
            version: VERSION,
            author: self.name.clone(),
            model: self.model.clone(),
            adapter: self.adapter.meta.clone(),
        };
        let mut file = self.adapter.tensors()?;
        file.metadata = serde_json::to_string(&header).map_err(|error| wrong(error.to_string()))?;
        for (length, ratios) in &self.others.0 {
            let numbers = Numbers { shape: vec![ratios.len()], values: ratios.clone() };
            file.tensors.insert(tensor_name(*length), numbers);
        }
        file.write().map_err(wrong)
    }

    /// Reads an author and checks that all is whole. The reason for a refusal is without the file's name.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut file = Tensors::read(bytes)?;
        let header: Header = serde_json::from_str(&file.metadata)
            .map_err(|error| format!("its metadata can't be read ({error})"))?;
        if header.version != VERSION {
            return Err(format!("its version is {}, and this program reads {VERSION}", header.version));
        }
        let mut others = Others::default();
        for length in lengths(MOST_TOKENS) {
            let Some(tensor) = file.tensors.remove(&tensor_name(length)) else { continue };
            if tensor.shape.len() != 1 || tensor.values.len() < LEAST_OTHERS {
                return Err(format!("the tensor `{}` is {:?}", tensor_name(length), tensor.shape));
            }
            others.0.insert(length, tensor.values);
        }
        if others.0.is_empty() {
            return Err("it holds no texts of others".to_owned());
        }
        let metadata = serde_json::to_string(&header.adapter).map_err(|error| error.to_string())?;
        let adapter = Adapter::of_tensors(Tensors { metadata, ..file }).map_err(|error| error.to_string())?;
        if adapter.head.is_some() {
            return Err("it holds the adapter of a detector".to_owned());
        }
        Ok(Self { name: header.author, model: header.model, adapter, others })
    }

    /// Keeps an author in place of an older one of the name, and says where.
    pub fn save(&self, folder: &Path) -> Result<PathBuf, StyleError> {
        let path = path(folder, &self.name)?;
        let bytes = self.write()?;
        private::make_folder(folder).map_err(|error| io(folder, error))?;
        private::replace(&path, &bytes).map_err(|error| io(&path, error))?;
        Ok(path)
    }

    /// The author of this name.
    pub fn open(folder: &Path, name: &str) -> Result<Self, StyleError> {
        let path = path(folder, name)?;
        let Some(meta) = private::metadata(&path).map_err(|error| io(&path, error))? else {
            return Err(StyleError::Unknown { name: name.to_owned(), known: known(folder)? });
        };
        let unusable = |reason| StyleError::Unusable { path: path.display().to_string(), reason };
        if meta.len() > MOST_BYTES {
            return Err(unusable("it is too long for one".to_owned()));
        }
        let author =
            Self::read(&std::fs::read(&path).map_err(|error| io(&path, error))?).map_err(unusable)?;
        if author.name == name {
            return Ok(author);
        }
        Err(unusable(format!("it is of {:?}", author.name)))
    }
}

fn tensor_name(length: usize) -> String {
    format!("others.{length}")
}

/// Where the author of this name is kept.
pub fn path(folder: &Path, name: &str) -> Result<PathBuf, StyleError> {
    check_name(name)?;
    Ok(folder.join(format!("{name}.{EXTENSION}")))
}

/// The names of the authors that are kept, in order.
pub fn known(folder: &Path) -> Result<Vec<String>, StyleError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(folder, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| io(folder, error))?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if let Some(name) = stem.filter(|name| check_name(name).is_ok())
            && path.extension().is_some_and(|own| own == EXTENSION)
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// A name becomes a file's.
pub fn check_name(name: &str) -> Result<(), StyleError> {
    let fits = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
    let begins = name.chars().next().is_some_and(char::is_alphanumeric);
    let ends = !name.ends_with([' ', '.']);
    // A file's name has at most 255 bytes, and a temporary one's is longer.
    let short = name.chars().count() <= 64 && name.len() <= 192;
    if begins && ends && short && name.chars().all(fits) && !name.contains("  ") {
        return Ok(());
    }
    Err(StyleError::Name(name.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::model::lora::file::VERSION as ADAPTER_VERSION;
    use crate::train::lora::adapter::Lora;
    use crate::train::lora::testing;
    use candle_core::{DType, Device};
    use proptest::prelude::*;
    use std::sync::LazyLock;

    fn author() -> Author {
        let model = testing::wide_llama();
        let lora = Lora::new(&model.shape, 1, 2, 4.0, 7, DType::F32, &Device::Cpu).unwrap();
        let meta = Meta {
            version: ADAPTER_VERSION,
            base: "ab".repeat(32),
            rank: 2,
            alpha: 4.0,
            layers: 1,
            seed: 7,
            data: Vec::new(),
            held_out: None,
        };
        let others: Vec<Vec<f64>> = (0..25).map(|at| vec![f64::from(at) / 8.0; 50]).collect();
        Author {
            name: "Ada".to_owned(),
            model: "tiny".to_owned(),
            adapter: lora.kept(meta, None).unwrap(),
            others: Others::new(&others),
        }
    }

    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| author().write().unwrap());

    fn problem(change: impl Fn(&mut Tensors)) -> String {
        let mut file = Tensors::read(&BYTES).unwrap();
        change(&mut file);
        Author::read(&file.write().unwrap()).unwrap_err()
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("authors");
        let path = author().save(&folder).unwrap();
        assert_eq!(Author::open(&folder, "Ada").unwrap(), author());
        assert_eq!(std::fs::read(&path).unwrap(), *BYTES);
        assert_eq!(known(&folder).unwrap(), ["Ada"]);
        let meta = std::fs::metadata(&path).unwrap();
        assert!(!private::is_wide(&meta) && !private::is_wide(&std::fs::metadata(&folder).unwrap()));
    }

    #[test]
    fn an_unknown_author_is_told_from_those_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let said = |name: &str| Author::open(folder.path(), name).unwrap_err().to_string();
        assert!(said("Bob").contains("bonafide train style"));
        author().save(folder.path()).unwrap();
        std::fs::write(folder.path().join("Ada.report.json"), "{}").unwrap();
        assert!(said("Bob").contains("there are Ada;"), "{}", said("Bob"));
        // A file that was given another name.
        std::fs::rename(folder.path().join("Ada.safetensors"), folder.path().join("Bob.safetensors"))
            .unwrap();
        assert!(said("Bob").contains("it is of \"Ada\""));
    }

    #[test]
    fn another_model_is_refused_with_the_name_of_the_right_one() {
        author().check(&"AB".repeat(32)).unwrap();
        let refused = author().check(&"cd".repeat(32)).unwrap_err().to_string();
        assert!(refused.contains("--model tiny"), "{refused}");
    }

    #[test]
    fn names_that_are_no_files_are_refused() {
        for name in ["Ada", "ada.l-2_x", "鲁迅", "Ada Lovelace", "é"] {
            check_name(name).unwrap();
        }
        for name in ["", ".ada", "../ada", "a/b", "a\\b", "ada.", "ada ", "a  b", "a\nb", "a\u{202e}b", "-a"]
        {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert!(check_name(&"a".repeat(65)).is_err() && check_name(&"鲁".repeat(65)).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        assert!(
            problem(|file| file.metadata = file.metadata.replace(":1,\"author", ":9,\"author"))
                .contains("version is 9")
        );
        assert!(
            problem(|file| file.tensors.retain(|name, _| !name.starts_with("others"))).contains("no texts")
        );
        let few = Numbers { shape: vec![2], values: vec![0.0; 2] };
        assert!(
            problem(|file| drop(file.tensors.insert("others.32".into(), few.clone()))).contains("others.32")
        );
        assert!(
            problem(|file| drop(file.tensors.insert("others.33".into(), few.clone()))).contains("others.33")
        );
        assert!(
            problem(|file| drop(file.tensors.remove("layers.0.q.a"))).contains("`layers.0.q.a` is absent")
        );
        assert!(problem(|file| file.metadata.clear()).contains("metadata"));
    }

    proptest! {
        #[test]
        fn cut_files_are_refused(len in 0..BYTES.len()) {
            prop_assert!(Author::read(&BYTES[..len]).is_err());
        }

        #[test]
        fn garbled_files_are_refused_or_whole(at in 0..BYTES.len(), byte: u8) {
            let mut bytes = BYTES.clone();
            bytes[at] = byte;
            if let Ok(author) = Author::read(&bytes) {
                author.adapter.check(&testing::wide_llama().shape, 3).unwrap();
                prop_assert!(author.others.place("", &[0.1; 40]).is_some());
            }
        }

        /// Most bytes of a file are numbers: what tells of them stands at its beginning.
        #[test]
        fn garbled_headers_are_refused_or_whole(at in 0_usize..2000, byte: u8) {
            let mut bytes = BYTES.clone();
            bytes[at] = byte;
            if let Ok(author) = Author::read(&bytes) {
                prop_assert!(author.others.shortest().is_some());
            }
        }
    }
}
