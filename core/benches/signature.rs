//! How fast signatures are checked: one verification, and a page of 500 signed comments from text to reports.
#![allow(missing_docs, clippy::unwrap_used)]

use bonafide_core::signature::canonical::Stream;
use bonafide_core::signature::carrier::Signed;
use bonafide_core::signature::carrier::token::Token;
use bonafide_core::signature::check::{Outcome, check};
use bonafide_core::signature::ed25519::{self, RawSignature};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::page::{Element, Page, PageBuilder};
use bonafide_core::signature::published::KeyFacts;
use bonafide_core::signature::sshsig::{HashAlgorithm, SshSignature, signed_data};
use bonafide_core::signature::statement::{Author, Facts, Statement};
use bonafide_core::signature::time::Timestamp;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ed25519_dalek::{Signer, SigningKey};
use std::hint::black_box;

const COMMENTS: usize = 500;

fn comment(number: usize) -> String {
    format!(
        "Comment {number}: I walked there this morning, and the bridge is open again. Whoever says that it was never \
         closed has not stood in front of the fence with a bicycle and two bags of bread, as I did on day {number}."
    )
}

fn sign(secret: &SigningKey, statement: Statement) -> Signed {
    let key = PublicKey::ed25519(secret.verifying_key().to_bytes()).unwrap();
    let hash = HashAlgorithm::Sha512;
    let bytes = secret.sign(&signed_data(&statement.to_jcs(), hash)).to_bytes();
    Signed::Ssh {
        statement,
        signature: SshSignature { key, hash, signature: RawSignature { bytes, touch: None } },
    }
}

fn facts() -> Facts {
    Facts {
        author: Author { name: "Ada".to_owned(), identity: None },
        language: "en".to_owned(),
        date: Timestamp::from_unix(1_795_593_600),
        assistance: "none".to_owned(),
        written_here: None,
        expires: None,
    }
}

/// What the walk over a page finds: comments, each ended by a token of an author of its own.
fn walk(comments: &[(String, String)]) -> Page {
    let mut page = PageBuilder::default();
    page.enter(Element::Root, None);
    for (text, token) in comments {
        page.enter(Element::Block, None);
        page.text(text);
        page.enter(Element::Block, None);
        page.text(token);
        page.leave();
        page.leave();
    }
    page.leave();
    page.finish()
}

fn verify(c: &mut Criterion) {
    let secret = SigningKey::from_bytes(&[1; 32]);
    let key = PublicKey::ed25519(secret.verifying_key().to_bytes()).unwrap();
    let data = comment(1);
    let signature = RawSignature { bytes: secret.sign(data.as_bytes()).to_bytes(), touch: None };
    let signed = sign(&secret, Statement::about(&Stream::of_text(&data), facts()).unwrap());
    let mut group = c.benchmark_group("signature");
    group.throughput(Throughput::Elements(1));
    group.bench_function("ed25519", |b| {
        b.iter(|| ed25519::verify(black_box(&key), data.as_bytes(), black_box(&signature)).unwrap());
    });
    group.bench_function("statement", |b| b.iter(|| black_box(&signed).verify(&key).unwrap()));
    group.finish();
}

fn page(c: &mut Criterion) {
    let comments: Vec<(String, String)> = (0..COMMENTS)
        .map(|number| {
            let text = comment(number);
            let secret = SigningKey::from_bytes(&[u8::try_from(number % 251).unwrap(); 32]);
            let statement = Statement::about_message(&Stream::of_text(&text), facts()).unwrap();
            let token = Token::of(&sign(&secret, statement)).unwrap().print().unwrap();
            (text, token)
        })
        .collect();
    let known = KeyFacts { contact: Some("Ada".to_owned()), ..KeyFacts::default() };
    let reports = || {
        let page = walk(black_box(&comments));
        let now = Timestamp::from_unix(1_795_600_000);
        check(&page).iter().map(|checked| checked.report(&page, &known, now)).collect::<Vec<_>>()
    };
    let all = reports();
    assert!(all.len() == COMMENTS && all.iter().all(|report| report.result == Outcome::Trusted));
    let text: String = comments.iter().map(|(text, _)| text.as_str()).collect();
    let mut group = c.benchmark_group("page");
    group.sample_size(50);
    group.bench_function("500 signed comments", |b| b.iter(reports));
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("canonical text", |b| b.iter(|| Stream::of_text(black_box(&text))));
    group.finish();
}

criterion_group!(benches, verify, page);
criterion_main!(benches);
