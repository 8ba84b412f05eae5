#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use std::io::{Cursor, Write};

fn chosen(text: &str, choice: Choice<'_>) -> Result<Chat, ChatError> {
    super::read(text.as_bytes().to_vec(), choice)
}

fn plainly(text: &str) -> Result<Chat, ChatError> {
    chosen(text, Choice::default())
}

fn me(name: &str) -> Choice<'_> {
    Choice { me: Some(name), ..Choice::default() }
}

/// A line a message: whose, when, and what.
fn lines(chat: &Chat) -> Vec<String> {
    let line = |turn: &ChatTurn| {
        let side = if turn.side == Side::Me { "me" } else { "them" };
        format!("{side} {} {:?}", turn.at.map(shown).unwrap_or_default(), turn.text)
    };
    chat.turns.iter().map(line).collect()
}

#[track_caller]
fn refused(chat: Result<Chat, ChatError>, words: &[&str]) {
    let error = chat.unwrap_err().to_string();
    assert!(words.iter().all(|word| error.contains(word)) && !error.contains('\n'), "{error}");
}

const ANDROID: &str = "28/09/2026, 10:29 - Messages and calls are end-to-end encrypted. Tap to learn more.\n\
    28/09/2026, 10:30 - Anna Lee: Hi, is this Dr. Li?\n\
    28/09/2026, 10:31 - Ben: No: wrong number\n\
    28/09/2026, 10:32 - Anna Lee: Oh sorry\n\
    \n\
    You seem kind\n\
    29/09/2026, 08:00 - Anna Lee: <Media omitted>\n";

const IOS: &str = "[28.09.26, 10:29:00] Anna Lee: \u{200e}Messages and calls are end-to-end encrypted.\r\n\
    [28.09.26, 10:30:05] Anna Lee: Hi, is this Dr. Li?\r\n\
    [28.09.26, 10:31:00] Ben: No: wrong number\r\n\
    [28.09.26, 10:32:00] Anna Lee: Oh sorry\r\n\
    \r\n\
    You seem kind\r\n\
    \u{200e}[29.09.26, 08:00:00] Anna Lee: \u{200e}image omitted\r\n";

const CHINESE: &str = "2026/9/28 上午10:29 - 消息和通话已进行端到端加密。\n\
    2026/9/28 上午10:30 - Anna Lee: Hi, is this Dr. Li?\n\
    2026/9/28 上午10:31 - Ben: No: wrong number\n\
    2026/9/28 上午10:32 - Anna Lee: Oh sorry\n\
    \n\
    You seem kind\n\
    2026/9/29 上午8:00 - Anna Lee: 图片已忽略\n";

const READ: [&str; 4] = [
    "them 2026-09-28 10:30 \"Hi, is this Dr. Li?\"",
    "me 2026-09-28 10:31 \"No: wrong number\"",
    "them 2026-09-28 10:32 \"Oh sorry\\n\\nYou seem kind\"",
    "them 2026-09-29 08:00 \"[image]\"",
];

#[test]
fn whatsapp_is_read_as_android_and_ios_write_it() {
    for text in [ANDROID, IOS, CHINESE, &format!("\u{feff}{ANDROID}")] {
        let chat = chosen(text, me("Ben")).unwrap();
        assert_eq!(lines(&chat), READ);
        assert_eq!(chat.format, Format::WhatsApp);
        assert_eq!(chat.names, [("Anna Lee".to_owned(), 3), ("Ben".to_owned(), 1)]);
    }
}

#[test]
fn whatsapp_does_not_say_whose_phone_it_was() {
    refused(plainly(ANDROID), &["--me \"NAME\"", "\"Anna Lee\" (3), \"Ben\" (1)"]);
    refused(chosen(ANDROID, me("Carl")), &["\"Carl\"", "--me", "\"Anna Lee\" (3)"]);
    assert_eq!(lines(&chosen(ANDROID, me(" ben")).unwrap()), READ, "as near as that");
    // The first notice has the other side's name on iOS; on Android the file has it.
    assert_eq!(lines(&plainly(IOS).unwrap()), READ);
    for file in [
        "/home/ben/WhatsApp Chat with Anna Lee.txt",
        "WhatsApp Chat - Anna Lee.zip",
        "与Anna Lee的WhatsApp聊天记录.txt",
    ] {
        let choice = Choice { file: Some(file), ..Choice::default() };
        assert_eq!(lines(&chosen(ANDROID, choice).unwrap()), READ, "{file}");
    }
    for file in ["Anna Lee.txt", "WhatsApp Chat with JoAnna Lee.txt", "WhatsApp.txt"] {
        refused(chosen(ANDROID, Choice { file: Some(file), ..Choice::default() }), &["--me"]);
    }
    // The user's own name wins over what the export tells.
    let other = chosen(IOS, me("Anna Lee")).unwrap();
    assert_eq!(other.turns[1].side, Side::Them);
}

#[test]
fn who_speaks_alone_is_the_other_side() {
    let chat = plainly("28/09/2026, 10:30 - ~\u{202f}Anna: Hi\n28/09/2026, 10:31 - ~\u{202f}Anna: Hello?\n")
        .unwrap();
    assert_eq!(lines(&chat), ["them 2026-09-28 10:30 \"Hi\"", "them 2026-09-28 10:31 \"Hello?\""]);
    assert_eq!(chat.names, [("Anna".to_owned(), 2)]);
}

#[test]
fn in_a_group_everybody_else_is_them() {
    let group = "28/09/2026, 10:30 - Anna created this group\n28/09/2026, 10:30 - Anna: a\n28/09/2026, 10:31 - +44 7700 900123: b\n\
                 28/09/2026, 10:32 - Ben: c\n";
    refused(plainly(group), &["\"+44 7700 900123\" (1)"]);
    let chat = chosen(group, me("Ben")).unwrap();
    assert_eq!(
        chat.turns.iter().map(|turn| turn.side).collect::<Vec<_>>(),
        [Side::Them, Side::Them, Side::Me]
    );
    let many: String = (0..30).map(|n| format!("28/09/2026, 10:30 - P{n:02}: a\n")).collect();
    refused(plainly(&many), &["\"P19\" (1), … (10 more)"]);
}

#[test]
fn a_quoted_export_is_no_message_of_its_own() {
    let text = "28/09/2026, 10:30 - Anna: look what he wrote:\n[28.09.26, 09:00:00] Ben: I am rich\n\
                28/09/2026, 10:31 - Ben: so?\n";
    let chat = chosen(text, me("Ben")).unwrap();
    assert_eq!(chat.turns.len(), 2);
    assert!(chat.turns[0].text.ends_with("I am rich") && chat.turns[0].side == Side::Them);
    let cut = format!("the end of a message\n{ANDROID}");
    assert_eq!(lines(&chosen(&cut, me("Ben")).unwrap()), READ);
}

#[test]
fn dates_that_cannot_be_are_named() {
    let text = "28/09/2026, 10:30 - Anna: a\n09/28/2026, 10:31 - Ben: b\n";
    refused(chosen(text, me("Ben")), &["line 2"]);
}

fn telegram(kind: &str, messages: &str) -> String {
    format!("{{\"name\": \"Anna\", \"type\": \"{kind}\", \"id\": 11, \"messages\": [{messages}]}}")
}

const TELEGRAM: &str = r#"
    {"id": 1, "type": "service", "date": "2026-09-28T12:29:00", "actor": "Anna", "action": "phone_call", "text": ""},
    {"id": 2, "type": "message", "date": "2026-09-28T12:30:05", "date_unixtime": "1790591405", "from": "Anna",
     "from_id": "user11", "text": "Hi, is this Dr. Li?", "text_entities": []},
    {"id": 3, "type": "message", "date": "2026-09-28T10:31:00", "from": "Ben", "from_id": "user22",
     "text": ["No: ", {"type": "bold", "text": "wrong"}, " number"]},
    {"id": 4, "type": "message", "date_unixtime": 1790591525, "from": null, "from_id": "user11", "photo": "photos/1.jpg",
     "text": [{"type": "text_link", "text": "my bank", "href": "https://b.example"}, {"type": "link", "text": "t.me/x"}]},
    {"id": 5, "type": "message", "date_unixtime": "x", "from": "Anna", "from_id": "user11", "media_type": "voice_message",
     "file": "a.ogg", "text": ""}"#;

const TELEGRAM_READ: [&str; 4] = [
    "them 2026-09-28 10:30 \"Hi, is this Dr. Li?\"",
    "me 2026-09-28 10:31 \"No: wrong number\"",
    "them 2026-09-28 10:32 \"[image]\\nmy bank (https://b.example)t.me/x\"",
    "them  \"[audio]\"",
];

#[test]
fn telegram_says_who_the_other_side_is() {
    let chat = plainly(&telegram("personal_chat", TELEGRAM)).unwrap();
    assert_eq!(lines(&chat), TELEGRAM_READ);
    assert_eq!(chat.format, Format::TelegramJson);
    let chat = plainly(&telegram("public_channel", TELEGRAM)).unwrap();
    assert!(chat.turns.iter().all(|turn| turn.side == Side::Them));
    refused(
        plainly(&telegram("private_group", TELEGRAM)),
        &["--me", "\"Anna\" (2), \"Ben\" (1), \"user11\" (1)"],
    );
    assert_eq!(chosen(&telegram("private_group", TELEGRAM), me("Ben")).unwrap().turns[1].side, Side::Me);
    // Nobody answered: the messages are the user's own.
    let own = r#"{"type": "message", "from": "Ben", "from_id": "user22", "text": "Hi?"}"#;
    assert_eq!(plainly(&telegram("personal_chat", own)).unwrap().turns[0].side, Side::Me);
    let one_line = telegram("personal_chat", TELEGRAM).replace('\n', " ");
    assert_eq!(lines(&plainly(&one_line).unwrap()), TELEGRAM_READ);
}

#[test]
fn of_many_chats_one_is_chosen() {
    let other = telegram("private_group", TELEGRAM)
        .replace("\"Anna\", \"type\": \"private", "\"Friends\", \"type\": \"private");
    let other = other.replace("\"id\": 11", "\"id\": 12");
    let empty = telegram("personal_chat", "");
    let all = |chats: &[&str]| {
        let list = chats.join(",");
        format!(
            "{{\"about\": \"…\", \"personal_information\": {{\"user_id\": 22}}, \"chats\": {{\"list\": [{list}]}}}}"
        )
    };
    let anna = telegram("personal_chat", TELEGRAM);
    let full = all(&[&anna, &empty, &other]);
    refused(plainly(&full), &["--chat", "\"Anna\", \"Friends\""]);
    for name in ["Friends", "friends", "12", "Anna"] {
        let chat = chosen(&full, Choice { chat: Some(name), ..Choice::default() }).unwrap();
        assert_eq!(lines(&chat), TELEGRAM_READ, "the account's id tells the user: {name}");
    }
    refused(chosen(&full, Choice { chat: Some("Carl"), ..Choice::default() }), &["--chat"]);
    assert_eq!(lines(&plainly(&all(&[&anna, &empty])).unwrap()), TELEGRAM_READ);
    refused(plainly(&all(&[&empty])), &["no messages"]);
    refused(plainly(&all(&[&anna, &anna.replace("\"id\": 11,", "\"id\": 13,")])), &["\"11\", \"13\""]);
    refused(chosen(&anna, Choice { chat: Some("Carl"), ..Choice::default() }), &["leave --chat out"]);
    assert!(chosen(&anna, Choice { chat: Some("Anna"), ..Choice::default() }).is_ok());
    refused(chosen(ANDROID, Choice { chat: Some("Anna"), ..Choice::default() }), &["leave --chat out"]);
}

const HTML: &str = r##"<!DOCTYPE html><html><head><meta charset="utf-8"/></head><body><div class="page_wrap">
 <div class="page_header"><div class="content"><div class="text bold">
Anna
 </div></div></div>
 <div class="page_body chat_page"><div class="history">
  <div class="message service" id="message-1"><div class="body details">28 September 2026</div></div>
  <div class="message default clearfix" id="message1"><div class="pull_left userpic_wrap"></div><div class="body">
   <div class="pull_right date details" title="28.09.2026 12:30:05 UTC+02:00">12:30</div>
   <div class="from_name">
Anna
   </div>
   <div class="text">
Hi, is this<br>Dr. <strong>Li</strong>?
   </div></div></div>
  <div class="message default clearfix joined" id="message2"><div class="body">
   <div class="pull_right date details" title="28.09.2026 12:31:00 UTC+02:00">12:31</div>
   <div class="media_wrap clearfix"><a class="photo_wrap clearfix pull_left" href="photos/1.jpg"></a></div>
   <div class="text">see <a href="https://b.example">my bank</a> &amp; <a href="https://c.example">https://c.example</a></div></div></div>
  <div class="message default clearfix" id="message3"><div class="body">
   <div class="pull_right date details" title="28.09.2026 12:32:00 UTC+02:00">12:32</div>
   <div class="from_name">Ben</div>
   <div class="reply_to details">In reply to <a href="#go_to_message1">this message</a></div>
   <div class="text">No</div>
   <div class="forwarded body"><div class="from_name">Carl</div><div class="text">wrong number</div></div></div></div>
 </div></div></div></body></html>"##;

const HTML_READ: [&str; 3] = [
    "them 2026-09-28 10:30 \"Hi, is this\\nDr. Li?\"",
    "them 2026-09-28 10:31 \"[image]\\nsee my bank (https://b.example) & https://c.example\"",
    "me 2026-09-28 10:32 \"No\\nwrong number\"",
];

#[test]
fn telegrams_pages_are_read() {
    let chat = plainly(HTML).unwrap();
    assert_eq!(lines(&chat), HTML_READ);
    assert_eq!(chat.format, Format::TelegramHtml);
    refused(
        plainly(&HTML.replace("\nAnna\n </div></div></div>", "\nFriends\n </div></div></div>")),
        &["--me"],
    );
    refused(plainly("<html><body><p>A page</p></body></html>"), &["WhatsApp", "messages.html"]);
}

#[test]
fn turns_of_programs_are_read() {
    let jsonl = "{\"side\": \"them\", \"text\": \"Hi\", \"at\": \"2026-09-28T12:30:05+02:00\"}\n\n\
                 {\"from\": \"me\", \"text\": \"Hello\", \"at\": 1790591465000, \"more\": [1]}\n";
    let wanted = ["them 2026-09-28 10:30 \"Hi\"", "me 2026-09-28 10:31 \"Hello\""];
    let chat = plainly(jsonl).unwrap();
    assert_eq!((lines(&chat), chat.format), (wanted.map(str::to_owned).to_vec(), Format::JsonLines));
    let array = format!("[{}]", jsonl.trim().replace("\n\n", ","));
    let whole = format!("{{\"id\": \"x\", \"label\": \"scam\", \"turns\": {array}}}");
    for text in [&array, &whole, &whole.replace(",", ",\n")] {
        let chat = plainly(text).unwrap();
        assert_eq!((lines(&chat), chat.format), (wanted.map(str::to_owned).to_vec(), Format::Json), "{text}");
    }
    refused(chosen(jsonl, me("Ben")), &["leave --me out"]);
    refused(plainly(&format!("{jsonl}{{\"side\": \"you\", \"text\": \"x\"}}")), &["line 4", "\"them\""]);
    refused(plainly(&format!("{jsonl}nonsense")), &["line 4"]);
    refused(plainly(&format!("{whole}\n{whole}\n")), &["2 conversations"]);
    refused(plainly("{\"turns\": [\n{\"side\": \"them\"}]}"), &["line 2"]);
    refused(plainly("{\"turns\": []}"), &["no messages"]);
    refused(plainly("{\"a\": 1}"), &["result.json"]);
    refused(plainly("{\"messages\": 1}"), &["result.json"]);
    refused(plainly("{\"turns\": ["), &["broken at line 1, column 11"]);
}

#[test]
fn lines_with_marks_are_read() {
    for text in
        ["them: Hi\n\nhow are you\nMe : fine: thanks\n\n", "\n对方：Hi\n\nhow are you\n我：fine: thanks"]
    {
        let chat = plainly(text).unwrap();
        assert_eq!(lines(&chat), ["them  \"Hi\\n\\nhow are you\"", "me  \"fine: thanks\""]);
        assert_eq!(chat.format, Format::Plain);
    }
}

#[test]
fn what_is_no_chat_is_refused_with_what_to_do() {
    refused(plainly(""), &["no messages", "give"]);
    refused(plainly(" \n\t\n"), &["no messages"]);
    refused(plainly("Dear diary, today nobody wrote."), &["WhatsApp", "result.json", "them:"]);
    refused(plainly("28/09/2026, 10:30 - Anna left\n"), &["no messages"]);
    refused(super::read(b"SQLite format 3\0...".to_vec(), Choice::default()), &["Export chat"]);
    refused(super::read(b"%PDF-1.7".to_vec(), Choice::default()), &["PDF"]);
    refused(super::read(b"them: caf\xe9".to_vec(), Choice::default()), &["iconv"]);
    refused(
        super::read(b"PK\x03\x04 not really".to_vec(), Choice::default()),
        &["ZIP", "export the chat again"],
    );
    let utf16: Vec<u8> = format!("\u{feff}{ANDROID}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(lines(&super::read(utf16, me("Ben")).unwrap()), READ);
}

fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options =
            zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn zip_files_are_unpacked() {
    let android =
        packed(&[("IMG-1.jpg", b"\xff\xd8\xff"), ("WhatsApp Chat with Anna Lee.txt", ANDROID.as_bytes())]);
    assert_eq!(
        lines(&super::read(android, Choice::default()).unwrap()),
        READ,
        "the name within tells the other side"
    );
    let ios = packed(&[("note.txt", b"x"), ("_chat.txt", IOS.as_bytes())]);
    assert_eq!(lines(&super::read(ios, Choice::default()).unwrap()), READ);
    let second = HTML.replace("Hi, is this", "Hello, is this");
    let pages = packed(&[
        ("ChatExport/messages2.html", second.as_bytes()),
        ("ChatExport/messages.html", HTML.as_bytes()),
    ]);
    let chat = super::read(pages, Choice::default()).unwrap();
    assert_eq!(lines(&chat)[..3], HTML_READ);
    assert!(chat.turns.len() == 6 && chat.turns[3].text.starts_with("Hello"));
    refused(super::read(packed(&[("a.jpg", b"x")]), Choice::default()), &["no chat in this ZIP"]);
}

#[test]
fn what_grows_too_large_is_refused() {
    let large = vec![b' '; MAX_BYTES + 1];
    refused(super::read(packed(&[("_chat.txt", &large)]), Choice::default()), &["larger than 100 MB"]);
    assert!(matches!(limited(std::io::repeat(b'a')).unwrap(), Err(ChatError::TooLarge)));
    let many = "me: a\n".repeat(MAX_TURNS + 1);
    refused(plainly(&many), &["more than 200000 messages"]);
    assert_eq!(plainly(&many["me: a\n".len()..]).unwrap().turns.len(), MAX_TURNS);
}

proptest! {
    #[test]
    fn no_input_panics(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        magic in "(PK\x03\x04)?",
    ) {
        let bytes = [magic.as_bytes(), &bytes].concat();
        let _ = super::read(bytes, Choice::default());
    }

    #[test]
    fn no_text_panics(
        text in "(\\[|\u{200e}|2026|28|9|/|\\.|-|:|, | - |年|月|日|上午|PM|p\\. m\\.|\u{202f}|\\] |Anna: |<attached: |>|omitted|\n|\\PC){0,40}",
        file in proptest::option::of("(WhatsApp|与|\\PC){0,4}\\.txt"),
        me in proptest::option::of("Anna|\\PC{0,3}"),
    ) {
        let line = format!("28/09/2026, 10:30 - Anna: a\n{text}");
        for text in [&text, &line] {
            let _ = chosen(text, Choice { file: file.as_deref(), me: me.as_deref(), chat: None });
        }
    }

    #[test]
    fn no_json_panics(
        text in "(\\{|\\}|\\[|\\]|,|:|\"turns\":|\"side\":\"me\"|\"text\":\"a\"|\"messages\":|\"chats\":|\"list\":|\"id\":1|null|\"at\":1e99|\n){0,30}",
        at in any::<i64>(),
    ) {
        let _ = plainly(&text);
        let turn = format!("{{\"side\":\"me\",\"text\":\"a\",\"at\":{at}}}\n{{{text}");
        let _ = plainly(&turn);
        let unixtime = format!("{{\"from_id\":{at},\"date_unixtime\":{at},\"text\":[{text}]}}");
        let _ = plainly(&telegram("personal_chat", &unixtime));
        let unixtime = format!("{{\"from_id\":{at},\"date_unixtime\":{at},\"text\":\"a\"}}");
        prop_assert!(plainly(&telegram("personal_chat", &unixtime)).is_ok());
    }

    #[test]
    fn no_page_panics(text in "(<div class=\"message default\">|<div class=\"body\">|<div class=\"text\">|</div>|<br>|<a href=\"x://\">|</a>|\\PC){0,30}") {
        let _ = plainly(&format!("<div class=\"history\"><div class=\"message default\">{text}"));
    }

    #[test]
    fn a_whatsapp_chat_comes_back(
        days in proptest::collection::vec((0i32..400, 0u8..24, 0u8..60, any::<bool>()), 1..20),
        form in 0usize..4,
    ) {
        let mut days = days;
        days.sort_unstable();
        let start = time::Date::from_calendar_date(2026, time::Month::January, 13).unwrap();
        let mut text = String::new();
        let mut wanted = Vec::new();
        // The first day settles the order.
        for (index, (day, hour, minute, mine)) in [(0, 0, 0, false), (0, 0, 0, true)].into_iter().chain(days).enumerate() {
            let date = start + time::Duration::days(i64::from(day));
            let (y, m, d) = (date.year(), u8::from(date.month()), date.day());
            let half = if hour < 12 { "AM" } else { "PM" };
            let twelve = match hour % 12 { 0 => 12, hour => hour };
            let head = match form {
                0 => format!("{d:02}/{m:02}/{y}, {hour:02}:{minute:02} - "),
                1 => format!("{m}/{d}/{}, {twelve}:{minute:02}\u{202f}{half} - ", y % 100),
                2 => format!("[{y}/{m}/{d}, {hour:02}:{minute:02}:00] "),
                _ => format!("[{d}.{m}.{y}, {hour:02}:{minute:02}:00] "),
            };
            let name = if mine { "Ben" } else { "Anna" };
            text.push_str(&format!("{head}{name}: message {index}\n"));
            let side = if mine { "me" } else { "them" };
            wanted.push(format!("{side} {y}-{m:02}-{d:02} {hour:02}:{minute:02} \"message {index}\""));
        }
        let chat = chosen(&text, me("Ben")).unwrap();
        prop_assert_eq!(lines(&chat), wanted);
    }
}
