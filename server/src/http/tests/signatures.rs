//! `/v1/verify`, `/v1/keys` and `/v1/sign`, at a desk that signs with a pencil.

use super::super::waiting::{LIFE, MOST, TRIES};
use super::*;
use crate::document::read::Format;
use crate::signatures::{Keys, Order, OwnKey, Prepared, SignedText, Verified};
use bonafide_core::signature::canonical::Builder;
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::{KeyFacts, Publication};
use bonafide_core::signature::statement::{Author, Facts, Identity, Statement};
use bonafide_core::signature::time::Timestamp;

const ORIGIN: &str = "http://127.0.0.1:8017";
const PASSPHRASE: &str = "correct horse";

/// Keys are `ada`, with a passphrase; `bare`, without; `agent`, in ssh-agent; and `token`, in hardware.
#[derive(Default)]
struct Pencil {
    verified: Mutex<Vec<(Source, bool)>>,
    signed: Mutex<Vec<String>>,
}

fn key(name: &str) -> OwnKey {
    OwnKey {
        name: name.to_owned(),
        fingerprint: format!("SHA256:{name}"),
        public_key: public_key(),
        author: Author { name: "Ada".to_owned(), identity: None },
        default: name == "ada",
        source: if matches!(name, "agent" | "token") { "agent" } else { "file" }.to_owned(),
        has_passphrase: name == "ada",
        hardware: name == "token",
        revoked: None,
    }
}

fn public_key() -> PublicKey {
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    serde_json::from_value(json!(line)).unwrap()
}

impl Desk for Pencil {
    fn verify(&self, source: &Source, online: bool) -> Result<Verified, Trouble> {
        self.verified.lock().unwrap().push((source.clone(), online));
        match source {
            Source::Url(url) if url.contains("nowhere") => {
                Err(Trouble::Request("there is no page at this address".to_owned()))
            }
            Source::Text(text) if text.contains("broken") => {
                Err(Trouble::Machine("the contacts can't be read".to_owned()))
            }
            _ => Ok(Verified {
                statements: Vec::new(),
                verified: false,
                words: 1,
                signed_words: 0,
                text: None,
            }),
        }
    }

    fn facts(&self, keys: &[(PublicKey, Option<Identity>)], online: bool) -> Result<Vec<KeyFacts>, Trouble> {
        let publication = if online { Publication::Absent } else { Publication::NotAsked };
        let of = |(_, identity): &(PublicKey, Option<Identity>)| KeyFacts {
            contact: Some("Ada".to_owned()),
            publication: identity.as_ref().map_or(Publication::NotAsked, |_| publication.clone()),
            ..KeyFacts::default()
        };
        Ok(keys.iter().map(of).collect())
    }

    fn keys(&self) -> Result<Keys, Trouble> {
        Ok(Keys { own: vec![key("ada"), key("bare"), key("agent"), key("token")], contacts: Vec::new() })
    }

    fn prepare(&self, order: Order) -> Result<Prepared, Trouble> {
        assert_eq!(order.format, Format::Text);
        let mut builder = Builder::default();
        builder.plain(&order.text);
        let key = key(order.key.as_deref().unwrap_or("ada"));
        let facts = Facts {
            author: key.author.clone(),
            language: order.language.clone().unwrap_or_else(|| "en".to_owned()),
            date: Timestamp::from_unix(1_795_593_600),
            assistance: order.assistance.clone().unwrap_or_else(|| "none".to_owned()),
            written_here: order.written_here,
            expires: order.expires,
        };
        let statement = Statement::about(&builder.finish(), facts)
            .map_err(|error| Trouble::Request(error.to_string()))?;
        Ok(Prepared { statement, order, key })
    }

    fn sign(&self, prepared: &Prepared, passphrase: Option<String>) -> Result<SignedText, Trouble> {
        if prepared.key.has_passphrase && passphrase.as_deref() != Some(PASSPHRASE) {
            return Err(Trouble::Passphrase);
        }
        if prepared.order.text.contains("breaks") {
            return Err(Trouble::Machine("the key file is gone".to_owned()));
        }
        self.signed.lock().unwrap().push(prepared.order.text.clone());
        let output = format!("{} human1pencil", prepared.order.text);
        Ok(SignedText { output, statement: prepared.statement.clone(), form: prepared.order.form })
    }
}

struct Office {
    daemon: Daemon,
    pencil: Arc<Pencil>,
    page: String,
}

impl Office {
    async fn new() -> Self {
        let pencil = Arc::new(Pencil::default());
        let desk: Arc<dyn Desk> = Arc::<Pencil>::clone(&pencil);
        let daemon = Daemon::of(Limits::default(), |app| app.with_desk(desk));
        let page = daemon.app.sessions.make(Instant::now()).unwrap();
        Self { daemon, pencil, page }
    }

    /// A request of a program's.
    async fn ask(&self, body: Value) -> Answer {
        self.daemon.post("/v1/sign", body.to_string()).await
    }

    /// The id of a text that waits.
    async fn waits(&self, text: &str) -> String {
        let answer = self.ask(json!({"text": text, "form": "line"})).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// A request of our own page's, as a browser sends it.
    async fn page(&self, method: &str, path: &str, body: Value) -> Answer {
        let mut request = bare(method, path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.page))
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin");
        if method != "GET" {
            request = request.header(header::ORIGIN, ORIGIN);
        }
        self.daemon.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn confirm(&self, id: &str, passphrase: &str) -> Answer {
        self.page("POST", &format!("/v1/sign/{id}/confirm"), json!({"passphrase": passphrase})).await
    }

    async fn state(&self, id: &str) -> Value {
        self.daemon.get(&format!("/v1/sign/{id}")).await.json()["state"].clone()
    }

    fn signed(&self) -> Vec<String> {
        self.pencil.signed.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn nothing_is_signed_before_the_user_confirms() {
    let office = Office::new().await;
    let counts =
        json!({"keystrokes": 9, "deletions": 1, "pasted_percent": 0, "active_minutes": 1, "revisions": 0});
    let body =
        json!({"text": "My words.", "form": "armour", "assistance": "spelling", "written_here": counts});
    let reply = office.ask(body).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    let reply = reply.json();
    let id = reply["id"].as_str().unwrap();
    assert_eq!(id.len(), 32);
    assert_eq!(reply["confirm_url"], format!("{ORIGIN}/sign#{id}"));
    assert_eq!(reply["expires_in"], 600);
    assert_eq!(office.state(id).await, "waiting");
    assert!(office.signed().is_empty());

    let list = office.page("GET", "/v1/sign", Value::Null).await.json();
    let waiting = &list["requests"][0];
    assert_eq!((&waiting["text"], &waiting["from"]), (&json!("My words."), &json!("default")));
    assert_eq!(waiting["statement"]["assistance"], "spelling");
    assert_eq!(waiting["statement"]["written_here"], counts);
    assert_eq!((&waiting["form"], &waiting["key"]["name"]), (&json!("armour"), &json!("ada")));

    let signed = office.confirm(id, PASSPHRASE).await.json();
    assert_eq!((&signed["state"], &signed["output"]), (&json!("signed"), &json!("My words. human1pencil")));
    let fetched = office.daemon.get(&format!("/v1/sign/{id}")).await.json();
    assert_eq!(fetched, signed);
    assert_eq!(fetched["statement"]["author"]["name"], "Ada");
    office.confirm(id, PASSPHRASE).await.is_error(409, "request_over");
    assert_eq!(office.signed().len(), 1);
    assert_eq!(office.page("GET", "/v1/sign", Value::Null).await.json(), json!({"requests": []}));
}

#[tokio::test]
async fn a_named_token_can_neither_list_nor_confirm_nor_refuse() {
    let office = Office::new().await;
    let id = office.waits("Not mine.").await;
    let own_page = |method: &str, path: &str| {
        let request = office.daemon.request(method, path).header("sec-fetch-site", "same-origin");
        request.header(header::ORIGIN, ORIGIN)
    };
    let body = json!({"passphrase": PASSPHRASE}).to_string();
    for (method, path, body) in [
        ("GET", "/v1/sign".to_owned(), String::new()),
        ("POST", format!("/v1/sign/{id}/confirm"), body),
        ("POST", format!("/v1/sign/{id}/refuse"), "{}".to_owned()),
    ] {
        let request = own_page(method, &path).body(Body::from(body)).unwrap();
        office.daemon.send(request).await.is_error(403, "page_only");
    }
    assert_eq!(office.state(&id).await, "waiting");
    assert!(office.signed().is_empty());
}

#[tokio::test]
async fn only_our_own_page_in_a_browser_confirms() {
    let office = Office::new().await;
    let id = office.waits("Not mine.").await;
    let path = format!("/v1/sign/{id}/confirm");
    let send = async |headers: &[(&str, &str)]| {
        let mut request = bare("POST", &path)
            .header(header::AUTHORIZATION, format!("Bearer {}", office.page))
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = json!({"passphrase": PASSPHRASE}).to_string();
        office.daemon.send(request.body(Body::from(body)).unwrap()).await
    };
    let site = ("sec-fetch-site", "same-origin");
    send(&[]).await.is_error(403, "page_only");
    send(&[site]).await.is_error(403, "page_only");
    send(&[("origin", ORIGIN)]).await.is_error(403, "page_only");
    send(&[("origin", ORIGIN), ("sec-fetch-site", "none")]).await.is_error(403, "page_only");
    send(&[("origin", "http://evil.example"), site]).await.is_error(403, "wrong_origin");
    send(&[("origin", "http://localhost:8017"), site]).await.is_error(403, "wrong_origin");
    send(&[("origin", EXTENSION), site]).await.is_error(403, "page_only");
    let list = bare("GET", "/v1/sign").header(header::AUTHORIZATION, format!("Bearer {}", office.page));
    office.daemon.send(empty(list)).await.is_error(403, "page_only");
    assert!(office.signed().is_empty());
    assert_eq!(send(&[("origin", ORIGIN), site]).await.status, 200);
    assert_eq!(office.signed(), ["Not mine."]);
}

#[tokio::test]
async fn three_wrong_passphrases_end_a_request() {
    let office = Office::new().await;
    let id = office.waits("Guess.").await;
    office.confirm(&id, "").await.is_error(422, "no_passphrase");
    for _ in 1..TRIES {
        office.confirm(&id, "wrong").await.is_error(422, "wrong_passphrase");
        assert_eq!(office.state(&id).await, "waiting");
    }
    office.confirm(&id, "wrong").await.is_error(422, "wrong_passphrases");
    assert_eq!(office.state(&id).await, "refused");
    office.confirm(&id, PASSPHRASE).await.is_error(409, "request_over");
    assert!(office.signed().is_empty());
}

#[tokio::test]
async fn the_user_can_refuse() {
    let office = Office::new().await;
    let id = office.waits("No.").await;
    let path = format!("/v1/sign/{id}/refuse");
    assert_eq!(office.page("POST", &path, json!({})).await.json(), json!({"state": "refused"}));
    assert_eq!(office.state(&id).await, "refused");
    office.page("POST", &path, json!({})).await.is_error(409, "request_over");
    office.confirm("0123456789abcdef", PASSPHRASE).await.is_error(404, "unknown_request");
}

#[tokio::test]
async fn a_request_ends_after_its_time_and_is_forgotten_later() {
    let office = Office::new().await;
    let id = office.waits("Late.").await;
    let now = Instant::now();
    assert_eq!(office.daemon.app.waiting.list(now + LIFE - LIFE / 10).len(), 1);
    assert!(office.daemon.app.waiting.list(now + LIFE).is_empty());
    assert_eq!(office.state(&id).await, "expired");
    office.confirm(&id, PASSPHRASE).await.is_error(409, "request_over");
    office.daemon.app.waiting.list(now + 2 * LIFE);
    office.daemon.get(&format!("/v1/sign/{id}")).await.is_error(404, "unknown_request");
    assert!(office.signed().is_empty());
}

#[tokio::test]
async fn programs_can_fill_their_places_but_not_the_users() {
    let office = Office::new().await;
    let first = office.waits("First.").await;
    for _ in 1..MOST {
        office.waits("Again.").await;
    }
    let refused = office.ask(json!({"text": "Too many.", "form": "line"})).await;
    refused.is_error(429, "too_many_waiting");
    assert!(refused.header("retry-after").is_some());
    let own = office.page("POST", "/v1/sign", json!({"text": "My own.", "form": "side"})).await;
    assert_eq!(own.status, 202, "{}", own.text);
    let requests = office.page("GET", "/v1/sign", Value::Null).await.json()["requests"].clone();
    assert_eq!(requests.as_array().unwrap().len(), MOST + 1);
    assert_eq!(requests[MOST]["from"], Value::Null);
    office.page("POST", &format!("/v1/sign/{first}/refuse"), json!({})).await;
    office.waits("Room again.").await;
}

#[tokio::test]
async fn a_request_is_its_own_tokens_business() {
    let office = Office::new().await;
    let id = office.waits("Mine.").await;
    let other = office.daemon.app.tokens.add("other", &[Scope::Sign]).unwrap();
    let get = |secret: &str| empty(bare("GET", &format!("/v1/sign/{id}")).header("x-api-key", secret));
    office.daemon.send(get(&other)).await.is_error(404, "unknown_request");
    let scorer = office.daemon.app.tokens.add("scorer", &[Scope::Score]).unwrap();
    office.daemon.send(get(&scorer)).await.is_error(403, "missing_scope");
    let post = bare("POST", "/v1/sign").header("x-api-key", &scorer);
    office.daemon.send(empty(post)).await.is_error(403, "missing_scope");
    assert_eq!(office.page("GET", &format!("/v1/sign/{id}"), Value::Null).await.json()["state"], "waiting");
}

#[tokio::test]
async fn a_key_that_anybody_could_use_does_not_sign_here() {
    let office = Office::new().await;
    let ask = async |key: &str| office.ask(json!({"text": "Words.", "form": "line", "key": key})).await;
    ask("bare").await.is_error(422, "key_without_passphrase");
    // An agent signs for whoever asks, and a token that makes links could confirm by itself.
    ask("agent").await.is_error(422, "key_without_passphrase");
    let id = ask("token").await.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/sign/{id}/confirm");
    assert_eq!(office.page("POST", &path, json!({})).await.json()["state"], "signed");
}

#[tokio::test]
async fn what_can_not_be_signed_is_told_at_once() {
    let office = Office::new().await;
    let hazard = office.ask(json!({"text": "a\u{202e}b", "form": "line"})).await;
    hazard.is_error(422, "signature");
    for (body, code) in [
        (json!({"text": "", "form": "line"}), "signature"),
        (json!({"text": "a", "form": "stone"}), "wrong_shape"),
        (json!({"text": "a"}), "wrong_shape"),
        (json!({"text": "a", "form": "line", "language": "???"}), "signature"),
        (json!({"text": "a", "form": "line", "expires": "tomorrow"}), "wrong_shape"),
        (json!({"text": "a", "form": "line", "author": "Eve"}), "wrong_shape"),
    ] {
        office.ask(body).await.is_error(422, code);
    }
    let long = "x".repeat(Limits::default().text_bytes + 1);
    office.ask(json!({"text": long, "form": "line"})).await.is_error(413, "text_too_large");
    let id = office.waits("This breaks.").await;
    let broken = office.confirm(&id, PASSPHRASE).await;
    broken.is_error(500, "signature_failed");
    assert_eq!(broken.json()["error"]["message"], "the key file is gone");
    assert_eq!(office.state(&id).await, "waiting", "it can be tried again");
}

#[tokio::test]
async fn texts_pages_and_addresses_are_checked() {
    let office = Office::new().await;
    let verify = async |body: Value| office.daemon.post("/v1/verify", body.to_string()).await;
    let text = |text: &str| text.to_owned();
    let (page, url) = ("<p>a</p>", "https://example.org/");
    for body in
        [json!({"text": "a"}), json!({"html": page}), json!({"html": page, "url": url}), json!({"url": url})]
    {
        let answer = verify(body).await;
        assert_eq!((answer.status, &answer.json()["verified"]), (200, &json!(false)), "{}", answer.text);
    }
    let html = |url| Source::Html { html: text(page), url };
    let seen = [Source::Text(text("a")), html(None), html(Some(text(url))), Source::Url(text(url))];
    // The first token may send the daemon to the network.
    let seen = seen.map(|source| (source, true));
    assert_eq!(*office.pencil.verified.lock().unwrap(), seen);
    for (body, code) in [
        (json!({}), "wrong_input"),
        (json!({"text": "a", "html": "b"}), "wrong_input"),
        (json!({"text": "a", "url": url}), "wrong_input"),
        (json!({"text": " "}), "empty"),
        (json!({"url": ""}), "empty"),
        (json!({"url": "https://nowhere.example/"}), "signature"),
    ] {
        verify(body).await.is_error(422, code);
    }
    verify(json!({"text": "broken"})).await.is_error(500, "signature_failed");
    verify(json!({"text": "x".repeat(1_000_001)})).await.is_error(413, "text_too_large");
}

#[tokio::test]
async fn only_who_may_have_pages_fetched_has() {
    let office = Office::new().await;
    let body = json!({"url": "https://example.org/"});
    let linked = json!({"html": "<p>a</p>", "url": "https://example.org/"});
    for body in [&body, &linked] {
        office.page("POST", "/v1/verify", body.clone()).await.is_error(403, "missing_scope");
    }
    let scorer = office.daemon.app.tokens.add("scorer", &[Scope::Score]).unwrap();
    let post = |secret: &str| {
        let request = bare("POST", "/v1/verify").header("x-api-key", secret);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        request.body(Body::from(body.to_string())).unwrap()
    };
    office.daemon.send(post(&scorer)).await.is_error(403, "missing_scope");
    let fetcher = office.daemon.app.tokens.add("fetcher", &[Scope::Score, Scope::Fetch]).unwrap();
    assert_eq!(office.daemon.send(post(&fetcher)).await.status, 200);
    let fetches_only = office.daemon.app.tokens.add("dog", &[Scope::Fetch]).unwrap();
    office.daemon.send(post(&fetches_only)).await.is_error(403, "missing_scope");
    let text = bare("POST", "/v1/verify").header("x-api-key", &scorer);
    let text =
        text.header(header::CONTENT_TYPE, "application/json").body(Body::from(r#"{"text":"a"}"#)).unwrap();
    assert_eq!(office.daemon.send(text).await.status, 200);
    office.page("POST", "/v1/verify", json!({"text": "a"})).await;
    let verified: Vec<bool> =
        office.pencil.verified.lock().unwrap().iter().map(|(_, online)| *online).collect();
    assert_eq!(verified, [true, false, true], "no site is asked for a token without the scope `fetch`");
}

#[tokio::test]
async fn keys_are_listed() {
    let office = Office::new().await;
    let keys = office.daemon.get("/v1/keys").await.json();
    assert_eq!(keys["own"][0]["fingerprint"], "SHA256:ada");
    assert_eq!(keys["contacts"], json!([]));
    office.daemon.send(empty(bare("GET", "/v1/keys"))).await.is_error(401, "no_token");
}

#[tokio::test]
async fn methods_of_the_shared_path_do_not_get_in_each_others_way() {
    let office = Office::new().await;
    let put = office.daemon.send(empty(office.daemon.request("PUT", "/v1/sign"))).await;
    put.is_error(405, "method_not_allowed");
    let api = office.daemon.get("/openapi.json").await.json();
    let paths = ["/v1/verify", "/v1/keys", "/v1/sign", "/v1/sign/{id}", "/v1/sign/{id}/confirm"];
    for path in paths {
        assert!(api["paths"].get(path).is_some(), "{path}");
    }
    assert!(api["paths"]["/v1/sign"]["get"].is_object() && api["paths"]["/v1/sign"]["post"].is_object());
}

#[tokio::test]
async fn facts_of_keys_are_told_in_order_and_from_the_network_only_to_who_may() {
    let office = Office::new().await;
    let line = serde_json::to_value(public_key()).unwrap();
    let keys = json!([{"public_key": line, "identity": "https://ada.example"}, {"public_key": line}]);
    let facts = |token: String, body: Value| {
        let request = bare("POST", "/v1/facts").header("x-api-key", token);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        office.daemon.send(request.body(Body::from(body.to_string())).unwrap())
    };
    let all = office.daemon.token.clone();
    let reply = facts(all.clone(), json!({"keys": keys})).await.json();
    let known = |publication: &str| json!({"contact": "Ada", "own": false, "publication": publication, "changed": false});
    assert_eq!(
        reply["facts"],
        json!([
            {"public_key": line, "identity": "https://ada.example", "facts": known("absent")},
            {"public_key": line, "identity": null, "facts": known("not_asked")},
        ])
    );
    let scorer = office.daemon.app.tokens.add("scorer", &[Scope::Score]).unwrap();
    let offline = facts(scorer, json!({"keys": keys})).await.json();
    assert_eq!(offline["facts"][0]["facts"]["publication"], "not_asked");
    let many: Vec<_> = (0..101).map(|_| json!({"public_key": line})).collect();
    facts(all.clone(), json!({"keys": many})).await.is_error(413, "too_many_keys");
    for (key, code) in [
        (json!({"public_key": "ssh-rsa AAAA"}), "wrong_shape"),
        (json!({"public_key": line, "identity": "http://ada.example"}), "wrong_identity"),
    ] {
        facts(all.clone(), json!({"keys": [key]})).await.is_error(422, code);
    }
}

#[tokio::test]
async fn a_request_is_followed_by_post_too() {
    let office = Office::new().await;
    let id = office.waits("These are my own words.").await;
    let path = format!("/v1/sign/{id}");
    assert_eq!(office.daemon.post(&path, "{}").await.json(), json!({"state": "waiting"}));
    office.confirm(&id, PASSPHRASE).await;
    assert_eq!(office.daemon.post(&path, "{}").await.json(), office.daemon.get(&path).await.json());
    let other = office.daemon.app.tokens.add("other", &[Scope::Sign]).unwrap();
    let request =
        bare("POST", &path).header("x-api-key", other).header(header::CONTENT_TYPE, "application/json");
    office.daemon.send(request.body(Body::from("{}")).unwrap()).await.is_error(404, "unknown_request");
}
