#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn error(text: &str) -> String {
    parse(text, Path::new("keys.toml")).unwrap_err().to_string()
}

#[test]
fn the_built_in_keys_are_right() {
    let keys = built_in().unwrap();
    assert!(keys.len() >= 16 && keys.iter().all(|key| key.public && key.built_in && key.who.is_some()));
    for key in keys {
        key.scheme(49_152).unwrap();
    }
}

#[test]
fn a_key_is_read_with_its_defaults() {
    let text = "[[key]]\nname = 'a'\nscheme = 'kgw'\ngamma = 0.25\nkey = 5\n";
    let keys = parse(text, Path::new("keys.toml")).unwrap();
    assert_eq!(keys[0].tokenizer, TokenizerSpec::Loaded);
    assert!(!keys[0].public && !keys[0].slow());
    let Scheme::Kgw(kgw) = keys[0].scheme(1000).unwrap() else { panic!("no kgw") };
    assert_eq!((kgw.vocabulary, kgw.greens(), kgw.seeding), (1000, 250, Seeding::LeftHash));
}

#[test]
fn a_mistake_names_its_line() {
    let good = "# mine\n[[key]]\nname = 'a'\nscheme = 'kgw'\ngamma = 0.25\nkey = 5\n\n";
    for (bad, line, says) in [
        ("[[key]]\nname = 'b'\nscheme = 'kgw'\ngamma = 1.5\nkey = 5\n", "line 11", "gamma"),
        ("[[key]]\nname = 'b'\nscheme = 'magic'\n", "line 10", "`magic`"),
        ("[[key]]\nname = 'b'\nscheme = 'kgw'\nkey = 5\n", "line 8", "`gamma` is missing"),
        ("[[key]]\nname = 'a'\nscheme = 'unigram'\ngamma = 0.5\nkey = 5\n", "line 9", "another key"),
        (
            "[[key]]\nname = 'b'\nscheme = 'synthid'\nkeys = [1]\nseeding = 'lefthash'\n",
            "line 12",
            "take it out",
        ),
        ("[[key]]\nname = 'b'\nscheme = 'dip'\ngamma = 0.5\nkey = 'xyz'\n", "line 12", "hexadecimal"),
        ("[[key]]\nname = 'b'\nscheme = 'kgw'\ngama = 0.5\n", "line 11", "gama"),
        (
            "[[key]]\nname = 'b'\nscheme = 'kgw'\ngamma = 0.5\nkey = 111222000111222000111222\n",
            "line 12",
            "whole number",
        ),
        ("[[key]]\nname = 'b'\nscheme = 'kgw'\ngamma = 0.5\nkey = -5\n", "line 12", "whole number"),
        ("[[key]]\nname = 'b'\nscheme = 'kgw'\ngamma = 0.5\nkey = 111222.5\n", "line 12", "whole number"),
        ("[[key]]\nname = 'b'\nscheme = 'synthid'\nkeys = [111222333, 4.5]\n", "line 11", "whole number"),
        ("[[key]]\nname = 'b'\nscheme = 'synthid'\nkeys = [7, 8, 7]\n", "line 11", "different"),
        ("[[key]]\nname = 'b'\nscheme = 5\n", "line 10", "string"),
    ] {
        let told = error(&format!("{good}{bad}"));
        assert!(told.contains(line) && told.contains(says), "{bad}\n-> {told}");
        assert!(!told.contains("111222") && told.lines().count() == 1, "{told}");
    }
}

#[test]
fn a_key_that_everybody_knows_is_public() {
    let key = |rest: &str| {
        let text = format!("[[key]]\nname = 'mine'\n{rest}\n");
        parse(&text, Path::new("keys.toml")).unwrap()[0].public
    };
    assert!(key("scheme = 'kgw'\ngamma = 0.3\nkey = 15485863"));
    assert!(key("scheme = 'unigram'\ngamma = 0.5\nkey = '15485863'"));
    assert!(!key("scheme = 'kgw'\ngamma = 0.3\nkey = 15485864"));
    assert!(!key("scheme = 'kgw'\ngamma = 0.3\nkey = 18446744073709551615"));
}

#[test]
fn tokenizers_beside_the_file_are_found() {
    let text = "[[key]]\nname = 'a'\nscheme = 'unigram'\ngamma = 0.5\nkey = 5\ntokenizer = 'gpt2.json'\n";
    let keys = parse(text, Path::new("/etc/keys.toml")).unwrap();
    assert_eq!(keys[0].tokenizer, TokenizerSpec::File(PathBuf::from("/etc/gpt2.json")));
}
