#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::keystore::Passphrase;
use bonafide_core::signature::check::Outcome;

const TEXT: &str = "The ferry leaves at six, whether or not the “baker” has brought his bread.\n\n\
                    Nobody on the island could say who had painted the door green -- that night…\n";
const PASSPHRASE: &str = "correct horse";

fn author(name: &str) -> (tempfile::TempDir, Signatures) {
    let home = tempfile::tempdir().unwrap();
    let folder = |name: &str| home.path().join(name);
    let paths = Paths { config: folder("config"), cache: folder("cache"), data: folder("data") };
    let signatures = Signatures::new(&paths, false);
    let author = Author { name: name.to_owned(), identity: Some("https://ada.example".to_owned()) };
    let passphrase = Passphrase::new(PASSPHRASE.to_owned());
    signatures.keystore.create("main", author, passphrase.as_ref()).unwrap();
    (home, signatures)
}

fn order(text: &str, format: Format, form: Form) -> Order {
    Order {
        text: text.to_owned(),
        format,
        form,
        key: None,
        language: None,
        assistance: None,
        expires: None,
        written_here: None,
        did_web: false,
    }
}

fn sign(signatures: &Signatures, order: Order) -> Result<SignedText, SignaturesError> {
    signatures.sign(&signatures.prepare(order)?, Some(PASSPHRASE.to_owned()))
}

#[test]
fn every_form_verifies_for_its_author_and_for_a_contact_and_is_unknown_to_others() {
    let (_home, ada) = author("Ada");
    let (_other_home, bob) = author("Bob");
    let html = "<html><body><nav>Menu</nav><p>The ferry leaves at six &amp; not before.<p>Nobody said why.</body></html>";
    let markdown =
        "# The *ferry*\n\nThe ferry leaves at **six**, and [nobody](https://a.example) says `why`.\n";
    for (text, format, forms) in [
        (TEXT, Format::Text, &[Form::Line, Form::Armour, Form::Html, Form::Side, Form::Vc][..]),
        (html, Format::Html, &[Form::Html, Form::Side, Form::Vc]),
        (markdown, Format::Markdown, &[Form::Line, Form::Armour, Form::Side, Form::Vc]),
    ] {
        for &form in forms {
            let signed = sign(&ada, order(text, format, form))
                .unwrap_or_else(|error| panic!("{format:?} {form:?}: {error}"));
            let verify = |reader: &Signatures, text: &str, output: &str| {
                let verified = match form {
                    Form::Side | Form::Vc => reader.verify_with_side_file(text, format, output),
                    Form::Html => reader.verify(output, Format::Html, None),
                    _ => reader.verify(output, format, None),
                };
                let verified = verified.unwrap();
                assert_eq!(verified.statements.len(), 1, "{format:?} {form:?}");
                (verified.statements[0].result, verified.verified)
            };
            assert_eq!(verify(&ada, text, &signed.output), (Outcome::Trusted, true), "{format:?} {form:?}");
            assert_eq!(
                verify(&bob, text, &signed.output),
                (Outcome::UnknownKey, false),
                "{format:?} {form:?}"
            );
            let changed = |text: &str| text.replace("ferry", "ship");
            let altered = verify(&ada, &changed(text), &changed(&signed.output));
            assert_eq!(altered, (Outcome::Altered, false), "{format:?} {form:?}");
        }
    }
    let key = ada.keys().unwrap().own.remove(0);
    bob.trust.add_contact("Ada", &key.public_key, None, now()).unwrap();
    let signed = sign(&ada, order(TEXT, Format::Text, Form::Line)).unwrap();
    let verified = bob.verify(&signed.output, Format::Text, None).unwrap();
    assert_eq!((verified.statements[0].result, verified.verified), (Outcome::Trusted, true));
    assert_eq!(verified.statements[0].contact.as_deref(), Some("Ada"));
    assert_eq!(bob.keys().unwrap().contacts[0].name, "Ada");
}

#[test]
fn what_cannot_be_signed_says_why() {
    let (_home, ada) = author("Ada");
    let refused = |order| sign(&ada, order).unwrap_err().to_string();
    assert!(refused(order(" \n", Format::Text, Form::Side)).contains("no text"));
    assert!(refused(order("pay \u{202E}me", Format::Text, Form::Side)).contains("U+202E"));
    assert!(refused(order("<p>x", Format::Html, Form::Line)).contains("--as html"));
    assert!(refused(order("# x", Format::Markdown, Form::Html)).contains("--as armour"));
    let signed = sign(&ada, order(TEXT, Format::Text, Form::Line)).unwrap().output;
    assert!(refused(order(&signed, Format::Text, Form::Line)).contains("statement already"));
    let wrong = ada.prepare(order(TEXT, Format::Text, Form::Side)).unwrap();
    let wrong = ada.sign(&wrong, Some("wrong".to_owned())).unwrap_err();
    assert!(wrong.to_string().contains("passphrase") && wrong.is_users());
    ada.keystore.revoke("main", Revocation { at: now(), reason: Default::default() }).unwrap();
    let main = Order { key: Some("main".to_owned()), ..order(TEXT, Format::Text, Form::Side) };
    assert!(refused(main).contains("revoked"));
}

#[test]
fn nothing_signed_is_nothing_verified() {
    let (_home, ada) = author("Ada");
    let verified = ada.verify(TEXT, Format::Text, None).unwrap();
    assert!(verified.statements.is_empty() && !verified.verified);
    assert!(matches!(ada.verify_url("https://ada.example/"), Err(SignaturesError::Offline)));
}

#[test]
fn a_statement_stands_in_html_whatever_its_words() {
    let (_home, ada) = author("Ada </script><!-- \"&'");
    let text = "A text about </script> and <!-- comments -->, \"quotes\" & 'more', that is long enough.";
    let signed = sign(&ada, order(text, Format::Text, Form::Html)).unwrap();
    assert!(ada.verify(&signed.output, Format::Html, None).unwrap().verified);
    let page = "<p>A page whose words are plain, and whose author's name is not.</p>";
    let signed = sign(&ada, order(page, Format::Html, Form::Html)).unwrap();
    assert!(ada.verify(&signed.output, Format::Html, None).unwrap().verified);
}
