#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::model::progress::Silent;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

const CONTENT: &[u8] = b"GGUF and the rest of a model";

fn home() -> (tempfile::TempDir, Paths) {
    let folder = tempfile::tempdir().unwrap();
    let below = |name: &str| folder.path().join(name);
    let paths = Paths { config: below("config"), cache: below("cache"), data: below("data") };
    (folder, paths)
}

fn entry() -> Entry {
    let mut entry = Registry::builtin().unwrap().models.remove(0);
    entry.size = CONTENT.len() as u64;
    let mut hash = CheckedWriter::new(tempfile::tempfile().unwrap(), entry.size);
    hash.write_all(CONTENT).unwrap();
    entry.sha256 = hash.finish().2;
    entry
}

/// What a fake source does.
enum Act {
    Bring(&'static [u8]),
    Refuse,
    Fill,
}

struct Fake {
    act: Act,
    asked: Arc<AtomicUsize>,
}

impl Source for Fake {
    fn label(&self) -> String {
        "fake".to_owned()
    }

    fn fetch(
        &self,
        work: &Path,
        sink: &mut dyn Write,
        _progress: &mut dyn Progress,
    ) -> Result<(), SourceError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        std::fs::write(work.join("scratch"), b"left behind")?;
        match self.act {
            // In two writes, so that two pulls at once would mix if they could.
            Act::Bring(content) => {
                let (first, second) = content.split_at(content.len() / 2);
                sink.write_all(first)?;
                std::thread::yield_now();
                Ok(sink.write_all(second)?)
            }
            Act::Refuse => Err(SourceError::Hub("refused".to_owned())),
            Act::Fill => Err(io::Error::from(io::ErrorKind::StorageFull).into()),
        }
    }
}

fn sources(acts: impl IntoIterator<Item = Act>) -> (Vec<Box<dyn Source>>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let open = |act| Box::new(Fake { act, asked: asked.clone() }) as Box<dyn Source>;
    (acts.into_iter().map(open).collect(), asked)
}

fn pull_with(paths: &Paths, acts: impl IntoIterator<Item = Act>) -> Result<StoredModel, ModelError> {
    pull(paths, &entry(), &sources(acts).0, &mut Silent)
}

/// Names in the model's folder.
fn left(paths: &Paths) -> Vec<String> {
    let folder = path_of(paths, &entry()).parent().unwrap().to_owned();
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_right_file_is_kept_and_found_again() {
    let (_home, paths) = home();
    assert!(stored(&paths, &entry()).is_none());
    let model = pull_with(&paths, [Act::Bring(CONTENT)]).unwrap();
    assert_eq!(std::fs::read(&model.path).unwrap(), CONTENT);
    assert_eq!(stored(&paths, &entry()), Some(model.clone()));
    let file = entry().file;
    assert_eq!(left(&paths), [".lock".to_owned(), file.clone(), format!("{file}.verified")]);

    let (sources, asked) = sources([Act::Refuse]);
    assert_eq!(pull(&paths, &entry(), &sources, &mut Silent).unwrap(), model);
    assert_eq!(asked.load(Ordering::SeqCst), 0, "a stored model is not pulled again");
}

#[test]
fn the_next_source_is_tried() {
    let (_home, paths) = home();
    let acts = [Act::Refuse, Act::Bring(b"GGUF but another model here"), Act::Bring(CONTENT)];
    let model = pull_with(&paths, acts).unwrap();
    assert_eq!(std::fs::read(model.path).unwrap(), CONTENT);
}

#[test]
fn wrong_files_are_never_kept() {
    // Cut short, of the right size but altered, too long, and empty.
    for content in
        [&CONTENT[..10], b"GGUF and the rest of a mOdel", b"GGUF and the rest of a model and more", b""]
    {
        let (_home, paths) = home();
        let error = pull_with(&paths, [Act::Bring(content)]).unwrap_err();
        assert!(error.to_string().contains("wrong file"), "{error}");
        assert!(stored(&paths, &entry()).is_none());
        assert_eq!(left(&paths), [".lock"]);
    }
}

#[test]
fn every_source_and_its_reason_is_named_in_one_line() {
    let (_home, paths) = home();
    let error = pull_with(&paths, [Act::Refuse, Act::Bring(b"GGUF")]).unwrap_err().to_string();
    assert!(error.contains("fake: refused; fake: it brought a wrong file"), "{error}");
    assert!(error.contains("bonafide model pull smollm2-135m") && !error.contains('\n'), "{error}");
}

#[test]
fn a_full_disk_ends_the_search() {
    let (_home, paths) = home();
    let (sources, asked) = sources([Act::Fill, Act::Bring(CONTENT)]);
    let error = pull(&paths, &entry(), &sources, &mut Silent).unwrap_err();
    assert!(matches!(error, ModelError::DiskFull { .. }), "{error}");
    assert_eq!((asked.load(Ordering::SeqCst), left(&paths)), (1, vec![".lock".to_owned()]));
}

#[test]
fn a_damaged_file_is_replaced_and_a_touched_one_hashed_again() {
    let (_home, paths) = home();
    let path = pull_with(&paths, [Act::Bring(CONTENT)]).unwrap().path;
    std::fs::write(&path, &CONTENT[..9]).unwrap();
    assert!(stored(&paths, &entry()).is_none(), "the size changed");
    assert!(
        pull_with(&paths, [Act::Refuse]).is_err(),
        "a damaged file is not used where it can't be replaced"
    );
    pull_with(&paths, [Act::Bring(CONTENT)]).unwrap();

    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert!(stored(&paths, &entry()).is_none(), "the time changed");
    pull_with(&paths, [Act::Refuse]).unwrap();
    assert!(stored(&paths, &entry()).is_some(), "its content is right, so it counts again");
}

#[test]
fn leftovers_of_a_cut_pull_are_removed() {
    let (_home, paths) = home();
    let folder = path_of(&paths, &entry()).parent().unwrap().to_owned();
    std::fs::create_dir_all(folder.join(".pull-dead/work")).unwrap();
    std::fs::write(folder.join(".pull-dead/model"), &CONTENT[..5]).unwrap();
    assert!(pull_with(&paths, [Act::Refuse]).is_err());
    assert_eq!(left(&paths), [".lock"]);
}

#[test]
fn of_many_pulls_at_once_one_pulls() {
    let (_home, paths) = home();
    let (sources, asked) = sources([]);
    drop(sources);
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let source: Box<dyn Source> =
                        Box::new(Fake { act: Act::Bring(CONTENT), asked: asked.clone() });
                    barrier.wait();
                    pull(&paths, &entry(), &[source], &mut Silent).unwrap()
                })
            })
            .collect();
        for thread in threads {
            assert_eq!(std::fs::read(thread.join().unwrap().path).unwrap(), CONTENT);
        }
    });
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn terms_are_asked_for_once() {
    let (_home, paths) = home();
    let registry = Registry::builtin().unwrap();
    let gemma = registry.find("gemma3-270m").unwrap();
    let error = ensure(&paths, "gemma3-270m", &mut Silent).unwrap_err();
    assert!(
        matches!(error, ModelError::Terms { .. }) && error.to_string().contains("--accept-terms"),
        "{error}"
    );
    assert!(!terms_accepted(&paths, gemma) && terms_accepted(&paths, registry.find("smollm2-135m").unwrap()));
    accept_terms(&paths, gemma).unwrap();
    assert!(terms_accepted(&paths, gemma));
    let mut changed = gemma.clone();
    changed.terms.as_mut().unwrap().note.push_str(" And more.");
    assert!(!terms_accepted(&paths, &changed), "a new text is a new question");
}

#[test]
fn local_files_are_named_by_path() {
    let (home, paths) = home();
    let file = home.path().join("Mine.gguf");
    std::fs::write(&file, CONTENT).unwrap();
    let spec = file.to_str().unwrap();
    let model = resolve(&paths, Some(spec), &mut Silent).unwrap();
    assert_eq!((model.name.as_str(), model.sha256.as_str()), ("Mine", entry().sha256.as_str()));
    assert_eq!(resolve(&paths, Some(spec), &mut Silent).unwrap(), model, "from the remembered digest");
    std::fs::write(&file, b"GGUF, changed").unwrap();
    assert_ne!(resolve(&paths, Some(spec), &mut Silent).unwrap().sha256, model.sha256);
}

#[test]
fn what_is_no_model_is_refused() {
    let (home, paths) = home();
    let resolve = |spec: &str| resolve(&paths, Some(spec), &mut Silent).unwrap_err();
    assert!(matches!(resolve("smolm2"), ModelError::Registry(RegistryError::Unknown { .. })));
    assert!(matches!(resolve("./absent.gguf"), ModelError::NotFound(_)));
    assert!(matches!(resolve(home.path().to_str().unwrap()), ModelError::NotGguf(_)));
    for content in [&b""[..], b"GGU", b"PK\x03\x04 a zip"] {
        let file = home.path().join("file.gguf");
        std::fs::write(&file, content).unwrap();
        assert!(matches!(resolve(file.to_str().unwrap()), ModelError::NotGguf(_)));
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_a_clear_error() {
    let (home, mut paths) = home();
    std::fs::write(home.path().join("plain"), b"").unwrap();
    paths.cache = home.path().join("plain");
    let error = pull_with(&paths, [Act::Bring(CONTENT)]).unwrap_err();
    assert!(error.to_string().contains("BONAFIDE_HOME"), "{error}");
}
