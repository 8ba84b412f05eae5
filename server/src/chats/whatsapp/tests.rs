#![allow(clippy::unwrap_used)]

use super::stamp::{Order, head, order};
use super::*;

/// Dates and times of lines, read together.
fn times(lines: &[&str]) -> Vec<String> {
    let heads: Vec<_> =
        lines.iter().map(|line| head(line).unwrap_or_else(|| unreachable!("{line}")).0).collect();
    let numbered: Vec<_> = heads.iter().copied().enumerate().collect();
    let order = order(&numbered).unwrap();
    heads.iter().map(|head| crate::chats::shown(head.at(order).unwrap())).collect()
}

#[test]
fn the_phones_forms_of_one_time() {
    for line in [
        "28/09/2026, 10:30 - A: b",
        "28/09/2026 10:30 - A: b",
        "[28/09/2026, 10:30:05] A: b",
        "\u{200e}[28/09/2026, 10:30:05] A: b",
        "[28.09.26, 10:30:05] A: b",
        "28.09.26, 10:30 - A: b",
        "28.9.2026 klo 10.30 - A: b",
        "[28.9.2026 klo 10.30.05] A: b",
        "9/28/26, 10:30 AM - A: b",
        "9/28/26, 10:30\u{202f}AM - A: b",
        "[9/28/26, 10:30:05\u{202f}AM] A: b",
        "28/09/2026, 10:30 am - A: b",
        "28/9/2026, 10:30 a. m. - A: b",
        "28/9/2026, 10:30 a.\u{a0}m. - A: b",
        "28-09-2026 10:30 - A: b",
        "2026-09-28, 10:30 - A: b",
        "[2026-09-28, 10:30:05] A: b",
        "2026/9/28 上午10:30 - A: b",
        "2026/9/28 10:30 - A: b",
        "[2026/9/28 上午10:30:05] A: b",
        "[2026/9/28, 10:30:05] A: b",
        "2026年9月28日 上午10:30 - A: b",
        "2026. 9. 28. 오전 10:30 - A: b",
        "[2026. 9. 28. 오전 10:30:05] A: b",
        "28. 9. 2026 10:30 - A: b",
    ] {
        assert_eq!(times(&[line]), ["2026-09-28 10:30"], "{line}");
        assert_eq!(head(line).unwrap().1, "A: b", "{line}");
    }
}

#[test]
fn clocks_of_twelve_hours() {
    for (clock, time) in [
        ("12:05 AM", "00:05"),
        ("12:05 PM", "12:05"),
        ("1:05 pm", "13:05"),
        ("11:59 p. m.", "23:59"),
        ("凌晨12:05", "00:05"),
        ("中午12:05", "12:05"),
        ("下午1:05", "13:05"),
        ("下午13:05", "13:05"),
        ("晚上11:59", "23:59"),
    ] {
        let line = format!("2026/9/28 {clock} - A: b");
        assert_eq!(times(&[&line]), [format!("2026-09-28 {time}")], "{clock}");
    }
}

#[test]
fn all_lines_together_settle_day_and_month() {
    let settled = |days: &[&str], clock: &str| {
        let lines: Vec<String> = days.iter().map(|day| format!("{day}, {clock} - A: b")).collect();
        let heads: Vec<_> = lines.iter().map(|line| (1, head(line).unwrap().0)).collect();
        order(&heads)
    };
    use Order::{DayMonthYear, MonthDayYear, YearMonthDay};
    for (days, clock, wanted) in [
        (&["03/04/2026"][..], "10:30", DayMonthYear),
        (&["3/4/26"], "10:30 AM", MonthDayYear),
        (&["3/4/26", "13/4/26"], "10:30 AM", DayMonthYear),
        (&["03/04/2026", "03/13/2026"], "10:30", MonthDayYear),
        // Time does not go back.
        (&["01/10/2026", "02/08/2026", "03/02/2026"], "10:30", MonthDayYear),
        (&["30/01/2026", "01/02/2026"], "10:30", DayMonthYear),
        // A chat of days, not of months.
        (&["3/4/26", "3/5/26", "3/6/26"], "10:30", MonthDayYear),
        (&["4/3/26", "5/3/26", "6/3/26"], "10:30 AM", DayMonthYear),
        (&["26/09/28", "26/09/30", "26/10/01"], "10:30", YearMonthDay),
        (&["28/09/26", "29/09/26"], "10:30", DayMonthYear),
    ] {
        assert_eq!(settled(days, clock), Ok(wanted), "{days:?} {clock}");
    }
    assert_eq!(settled(&["13/13/2026"], "10:30"), Err(1));
}

#[test]
fn other_lines_begin_no_message() {
    for line in [
        "",
        "Hello",
        "10:30 - A: b",
        "28/09/2026",
        "28/09/2026, 10:30",
        "28/09.2026, 10:30 - A: b",
        "28/09/2026, 25:30 - A: b",
        "28/09/2026, 10:3 - A: b",
        "[28/09/2026, 10:30:05 A: b",
        "28/09/2026, 10:30:05] A: b",
        "20260928, 10:30 - A: b",
        "1/2/3/4, 10:30 - A: b",
        "99999999999/1/1, 10:30 - A: b",
        "[1, 2, 3]",
        "{\"a\": 1}",
    ] {
        assert!(head(line).is_none(), "{line}");
    }
}

#[test]
fn the_programs_words_become_signs() {
    for (said, wanted) in [
        ("plain words", Some("plain words")),
        ("<Media omitted>", Some("[image]")),
        ("<省略多媒体文件>", Some("[image]")),
        ("<Medien ausgeschlossen>", Some("[image]")),
        ("\u{200e}image omitted", Some("[image]")),
        ("\u{200e}图片已忽略", Some("[image]")),
        ("图片已忽略", Some("[image]")),
        ("\u{200e}audio omitted", Some("[audio]")),
        ("\u{200e}video omitted", Some("[video]")),
        ("\u{200e}<attached: 00000012-PHOTO-2026-09-28.jpg>", Some("[image]")),
        ("\u{200e}<attached: 00000012-AUDIO-2026-09-28.opus>", Some("[audio]")),
        ("My profit \u{200e}<attached: 00000012-PHOTO-2026-09-28.jpg>", Some("My profit [image]")),
        ("IMG-20260928-WA0001.jpg (file attached)\nMy profit", Some("[image]\nMy profit")),
        ("IMG-20260928-WA0001.jpg (文件附件)", Some("[image]")),
        ("contract.pdf (file attached)", Some("[file]")),
        ("See you \u{200e}<This message was edited>", Some("See you")),
        ("See you <This message was edited>", Some("See you ")),
        ("See you \u{200e}<此消息已编辑>", Some("See you")),
        ("This message was deleted", None),
        ("\u{200e}You deleted this message.", None),
        ("", None),
        // What people write.
        ("I omitted the image", Some("I omitted the image")),
        ("<3", Some("<3")),
        ("<b>", Some("<b>")),
        ("\u{200e}send me the code", Some("\u{200e}send me the code")),
    ] {
        assert_eq!(own::without(said).as_deref().map(str::trim_end), wanted.map(str::trim_end), "{said:?}");
    }
}
