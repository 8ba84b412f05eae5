//! Signing and checking over REST: a program asks, the user confirms on the daemon's page, anybody checks.

use bonafide_tests::{Answer, Daemon, Setup, bonafide};
use serde_json::{Value, json};

const PASSPHRASE: &str = "correct horse battery";
const TEXT: &str =
    "The heron stood in the reeds until the fog came, and I with it.\n\nThen we both went home.";

struct Desk {
    daemon: Daemon,
    /// The page's own token.
    page: String,
}

impl Desk {
    /// A daemon with a key under a passphrase, and the page that its link opened.
    fn start() -> Option<Self> {
        let daemon = Daemon::start(&Setup::default())?;
        key(&daemon, &["new", "--author", "Ada", "--default"]);
        let code = daemon.link.split_once("/?k=").unwrap().1.to_owned();
        let body = json!({"code": code}).to_string();
        let json_type = ("content-type", "application/json");
        let session = daemon.send("POST", "/v1/session", &[json_type], body.as_bytes()).json();
        let page = format!("Bearer {}", session["token"].as_str().unwrap());
        Some(Self { daemon, page })
    }

    fn ask(&self, body: Value) -> Answer {
        self.daemon.post("/v1/sign", body.to_string().as_bytes())
    }

    /// A request as a browser sends it from the daemon's page.
    fn page(&self, method: &str, path: &str, body: &Value) -> Answer {
        let origin = format!("http://{}", self.daemon.address);
        let mut headers = vec![
            ("authorization", self.page.as_str()),
            ("content-type", "application/json"),
            ("sec-fetch-site", "same-origin"),
        ];
        if method == "POST" {
            headers.push(("origin", &origin));
        }
        self.daemon.send(method, path, &headers, body.to_string().as_bytes())
    }

    fn verify(&self, body: Value) -> Value {
        let answer = self.daemon.post("/v1/verify", body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// What is published of a text, in a form.
    fn sign(&self, form: &str) -> String {
        let asked = self.ask(json!({"text": TEXT, "form": form}));
        assert_eq!(asked.status, 202, "{}", asked.text);
        let id = asked.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/sign/{id}");
        let confirmed = self.page("POST", &format!("{path}/confirm"), &json!({"passphrase": PASSPHRASE}));
        assert_eq!(confirmed.status, 200, "{}", confirmed.text);
        let fetched = self.daemon.get(&path).json();
        assert_eq!(fetched["state"], "signed");
        fetched["output"].as_str().unwrap().to_owned()
    }
}

fn key(daemon: &Daemon, arguments: &[&str]) {
    let made = bonafide()
        .arg("key")
        .args(arguments)
        .env("BONAFIDE_HOME", daemon.home.path())
        .env("BONAFIDE_PASSPHRASE", PASSPHRASE)
        .env_remove("SSH_AUTH_SOCK")
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn a_program_asks_the_user_confirms_and_everybody_can_check() {
    let Some(desk) = Desk::start() else { return };
    let asked = desk.ask(json!({"text": TEXT, "form": "armour", "assistance": "spelling"}));
    assert_eq!(asked.status, 202, "{}", asked.text);
    let id = asked.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(asked.json()["confirm_url"], format!("http://{}/sign#{id}", desk.daemon.address));
    let path = format!("/v1/sign/{id}");
    assert_eq!(desk.daemon.get(&path).json(), json!({"state": "waiting"}));

    let waiting = desk.page("GET", "/v1/sign", &Value::Null).json()["requests"][0].clone();
    assert_eq!((&waiting["text"], &waiting["from"]), (&json!(TEXT), &json!("default")));
    assert_eq!(waiting["statement"]["author"]["name"], "Ada");
    assert_eq!(waiting["statement"]["text"]["paragraphs"].as_array().unwrap().len(), 2);

    let confirm =
        |passphrase: &str| desk.page("POST", &format!("{path}/confirm"), &json!({"passphrase": passphrase}));
    let wrong = confirm("wrong");
    assert_eq!((wrong.status, wrong.code().as_deref()), (422, Some("wrong_passphrase")));
    assert_eq!(confirm(PASSPHRASE).status, 200);
    let signed = desk.daemon.get(&path).json();
    assert_eq!((&signed["state"], &signed["form"]), (&json!("signed"), &json!("armour")));
    assert_eq!(signed["statement"], waiting["statement"], "what was shown is what was signed");

    let output = signed["output"].as_str().unwrap();
    let verified = desk.verify(json!({"text": output}));
    assert_eq!(
        (&verified["verified"], &verified["statements"][0]["result"]),
        (&json!(true), &json!("trusted"))
    );
    assert_eq!(verified["statements"][0]["statement"], waiting["statement"]);
    let span = &verified["statements"][0]["spans"][0];
    assert_eq!((&span["start"], &span["end"]), (&json!(0), &json!(TEXT.chars().count())));
    let altered = desk.verify(json!({"text": output.replace("heron", "stork")}));
    assert_eq!(altered["statements"][0]["result"], "altered");
    let nothing = desk.verify(json!({"text": TEXT}));
    assert_eq!((&nothing["statements"], &nothing["verified"]), (&json!([]), &json!(false)));
}

#[test]
fn every_form_verifies() {
    let Some(desk) = Desk::start() else { return };
    for form in ["line", "armour"] {
        let verified = desk.verify(json!({"text": desk.sign(form)}));
        assert_eq!(verified["verified"], true, "{form}: {verified}");
    }
    let html = desk.sign("html");
    let verified = desk.verify(json!({"html": format!("<body><nav>Menu</nav>{html}</body>")}));
    assert_eq!(verified["verified"], true, "{verified}");
    assert!(verified["text"].as_str().unwrap().contains("Then we both"));
    let side: Value = serde_json::from_str(&desk.sign("side")).unwrap();
    assert_eq!(side["statement"]["type"], "generated-by-human/1");
    let credential: Value = serde_json::from_str(&desk.sign("vc")).unwrap();
    assert_eq!(credential["proof"]["cryptosuite"], "eddsa-jcs-2022");
}

#[test]
fn a_token_alone_never_signs() {
    let Some(desk) = Desk::start() else { return };
    key(&desk.daemon, &["new", "open", "--author", "Ada", "--no-passphrase"]);
    let open = desk.ask(json!({"text": TEXT, "form": "line", "key": "open"}));
    assert_eq!((open.status, open.code().as_deref()), (422, Some("key_without_passphrase")), "{}", open.text);
    let unknown = desk.ask(json!({"text": TEXT, "form": "line", "key": "nobody"}));
    assert_eq!((unknown.status, unknown.code().as_deref()), (422, Some("signature")), "{}", unknown.text);

    let id = desk.ask(json!({"text": TEXT, "form": "line"})).json()["id"].as_str().unwrap().to_owned();
    let body = json!({"passphrase": PASSPHRASE}).to_string();
    let origin = format!("http://{}", desk.daemon.address);
    let confirm = |headers: &[(&str, &str)]| {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        desk.daemon.send("POST", &format!("/v1/sign/{id}/confirm"), &headers, body.as_bytes())
    };
    let (key, page) = (("x-api-key", desk.daemon.token.as_str()), ("authorization", desk.page.as_str()));
    let (own, site) = (("origin", origin.as_str()), ("sec-fetch-site", "same-origin"));
    for headers in [&[key, own, site][..], &[page], &[page, site], &[page, own]] {
        assert_eq!(confirm(headers).code().as_deref(), Some("page_only"), "{headers:?}");
    }
    let foreign = confirm(&[page, ("origin", "http://evil.example"), site]);
    assert_eq!(foreign.code().as_deref(), Some("wrong_origin"));
    assert_eq!(desk.daemon.get(&format!("/v1/sign/{id}")).json(), json!({"state": "waiting"}));
}

#[test]
fn keys_are_shown_without_their_secrets() {
    let Some(desk) = Desk::start() else { return };
    let keys = desk.daemon.get("/v1/keys");
    assert_eq!(keys.status, 200, "{}", keys.text);
    let own = &keys.json()["own"][0];
    assert_eq!((&own["author"]["name"], &own["has_passphrase"]), (&json!("Ada"), &json!(true)));
    assert!(!keys.text.contains("PRIVATE"));
}

#[test]
fn neither_text_nor_passphrase_reaches_the_log_or_the_disk() {
    let Some(desk) = Desk::start() else { return };
    let signed = desk.sign("line");
    desk.verify(json!({"text": signed}));
    desk.ask(json!({"text": TEXT, "form": "line"}));
    let secrets = ["heron", PASSPHRASE];
    for secret in secrets {
        assert!(!desk.daemon.log().contains(secret), "{}", desk.daemon.log());
        let home = desk.daemon.home.path();
        let files = std::process::Command::new("grep").args(["-r", secret]).arg(home).output().unwrap();
        assert_eq!(files.status.code(), Some(1), "{}", String::from_utf8_lossy(&files.stdout));
    }
}

#[test]
fn an_address_is_fetched_only_from_the_network_and_for_whom_may() {
    let Some(desk) = Desk::start() else { return };
    let local = json!({"url": format!("http://{}/", desk.daemon.address)});
    let refused = desk.daemon.post("/v1/verify", local.to_string().as_bytes());
    assert_eq!((refused.status, refused.code().as_deref()), (422, Some("signature")), "{}", refused.text);
    let page = desk.page("POST", "/v1/verify", &local);
    assert_eq!((page.status, page.code().as_deref()), (403, Some("missing_scope")));
}
