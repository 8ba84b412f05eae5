//! The time before a message, and the order of day, month and year, which only all lines together settle.

use super::MARKS;
use time::{Date, Month, PrimitiveDateTime, Time};

/// How a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The numbers of the date as they stand.
    parts: [i32; 3],
    /// The digits of each.
    digits: [usize; 3],
    time: Time,
    /// Whether the clock has twelve hours.
    twelve: bool,
    pub(super) style: Style,
}

/// What all lines of an export have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    bracketed: bool,
    separator: char,
    seconds: bool,
}

/// The order of a date's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    DayMonthYear,
    MonthDayYear,
    YearMonthDay,
}

/// Halves of the day, in small letters without dots and spaces, and what they add to hours of twelve.
const HALVES: &[(&str, bool)] = &[
    ("am", false),
    ("pm", true),
    ("上午", false),
    ("凌晨", false),
    ("早上", false),
    ("清晨", false),
    ("中午", true),
    ("下午", true),
    ("傍晚", true),
    ("晚上", true),
    ("오전", false),
    ("오후", true),
    ("午前", false),
    ("午後", true),
];

/// Words between date and time.
const BETWEEN: [&str; 5] = ["klo", "um", "à", "às", "at"];

/// The time at the beginning of a line, and what comes after it.
pub(super) fn head(line: &str) -> Option<(Head, &str)> {
    let line = line.trim_start_matches(MARKS);
    let bracketed = line.starts_with('[');
    let mut rest = Rest(line.strip_prefix('[').unwrap_or(line));
    let (first, separator) = (rest.number(4)?, rest.separator()?);
    let second = rest.number(2)?;
    rest.same(separator)?;
    let third = rest.number(4)?;
    rest.after_date();
    let before = rest.half();
    rest.spaces();
    let hour = rest.number(2)?;
    let colon = rest.one(&[':', '.'])?;
    let minute = rest.two_digits()?;
    let seconds = rest.one(&[colon]).map(|_| rest.two_digits());
    let second_of_minute = match seconds {
        Some(seconds) => seconds?,
        None => 0,
    };
    rest.spaces();
    let half = before.or_else(|| rest.half());
    let twelve = half.is_some();
    let time = Time::from_hms(hour_of(hour.0, half)?, minute, second_of_minute).ok()?;
    let rest = if bracketed {
        let rest = rest.0.trim_start().strip_prefix(']')?;
        rest.strip_prefix(' ').unwrap_or(rest)
    } else {
        let rest = rest.0.trim_start();
        rest.strip_prefix("- ").or_else(|| rest.strip_prefix("– "))?
    };
    let style = Style { bracketed, separator, seconds: seconds.is_some() };
    let parts = [first.0, second.0, third.0];
    Some((Head { parts, digits: [first.1, second.1, third.1], time, twelve, style }, rest))
}

fn hour_of(hour: i32, half: Option<bool>) -> Option<u8> {
    let hour = match half {
        None => hour,
        // Some phones write 下午13:05.
        Some(_) if hour > 12 => hour,
        Some(false) => hour % 12,
        Some(true) => hour % 12 + 12,
    };
    u8::try_from(hour).ok()
}

/// What is left of a line.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// A number of ASCII digits, and how many they are.
    fn number(&mut self, most: usize) -> Option<(i32, usize)> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > most {
            return None;
        }
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        Some((number.parse().ok()?, digits))
    }

    fn two_digits(&mut self) -> Option<u8> {
        let (number, digits) = self.number(2)?;
        if digits == 2 { u8::try_from(number).ok() } else { None }
    }

    fn one(&mut self, wanted: &[char]) -> Option<char> {
        let next = self.0.chars().next().filter(|next| wanted.contains(next))?;
        self.0 = &self.0[next.len_utf8()..];
        Some(next)
    }

    /// What stands between the numbers of a date; Korean and Czech dates have a space besides.
    fn separator(&mut self) -> Option<char> {
        let separator = self.one(&['/', '.', '-', '年'])?;
        self.spaces();
        Some(separator)
    }

    fn same(&mut self, separator: char) -> Option<()> {
        self.one(&[if separator == '年' { '月' } else { separator }])?;
        self.spaces();
        Some(())
    }

    fn spaces(&mut self) {
        self.0 =
            self.0.trim_start_matches([' ', '\u{a0}', '\u{202f}', '\u{2009}', '\u{200e}', '\u{200f}', '\t']);
    }

    /// A dot or 日 that ends the date, a comma, and a word.
    fn after_date(&mut self) {
        self.one(&['.', '日']);
        self.one(&[',', '，', '،']);
        self.spaces();
        let word = BETWEEN.iter().find_map(|word| self.0.strip_prefix(word)?.strip_prefix(' '));
        if let Some(rest) = word {
            self.0 = rest;
        }
        self.spaces();
    }

    /// Whether it is the second half of the day, if it says.
    fn half(&mut self) -> Option<bool> {
        // `p. m.` has a space in it that may be one of several.
        let mut said = String::new();
        for (at, c) in self.0.char_indices().take(8) {
            match c {
                ' ' | '.' | '\u{a0}' | '\u{202f}' => continue,
                c if c.is_alphabetic() => said.extend(c.to_lowercase()),
                _ => return None,
            }
            if let Some((_, second)) = HALVES.iter().find(|(half, _)| *half == said) {
                let rest = &self.0[at + c.len_utf8()..];
                self.0 = rest.strip_prefix('.').unwrap_or(rest);
                return Some(*second);
            }
        }
        None
    }
}

impl Head {
    /// Milliseconds since 1970, the clock on the wall taken for UTC.
    pub(super) fn at(&self, order: Order) -> Option<i64> {
        let date = PrimitiveDateTime::new(self.date(order)?, self.time);
        Some(date.assume_utc().unix_timestamp() * 1000)
    }

    fn date(&self, order: Order) -> Option<Date> {
        let [a, b, c] = self.parts;
        let (year, month, day, digits) = match order {
            Order::DayMonthYear => (c, b, a, self.digits[2]),
            Order::MonthDayYear => (c, a, b, self.digits[2]),
            Order::YearMonthDay => (a, b, c, self.digits[0]),
        };
        let year = match digits {
            2 => 2000 + year,
            4 => year,
            _ => return None,
        };
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
    }

    /// How exports of the United States look: `9/28/26, 10:30 AM`.
    fn is_american(&self) -> bool {
        self.twelve && self.style.separator == '/' && self.digits[2] == 2
    }
}

/// The order that fits all lines; of several the one in which time goes back least, then the one in which the chat takes much
/// less time, then the usual one.
///
/// # Errors
/// The first line that does not fit, if there is no such order.
pub(super) fn order(heads: &[(usize, Head)]) -> Result<Order, usize> {
    let usual = if heads.iter().all(|(_, head)| head.is_american()) {
        [Order::MonthDayYear, Order::DayMonthYear, Order::YearMonthDay]
    } else {
        [Order::DayMonthYear, Order::MonthDayYear, Order::YearMonthDay]
    };
    let mut fitting = Vec::new();
    let mut wrong = 0;
    for order in usual {
        let dates: Option<Vec<Date>> = heads.iter().map(|(_, head)| head.date(order)).collect();
        match dates {
            Some(dates) => fitting.push((order, back(&dates), span(&dates))),
            None => {
                let at = heads.iter().find(|(_, head)| head.date(order).is_none());
                wrong = wrong.max(at.map_or(0, |(line, _)| *line));
            }
        }
    }
    let Some(least) = fitting.iter().map(|&(_, back, _)| back).min() else { return Err(wrong) };
    fitting.retain(|&(_, back, _)| back == least);
    let shortest = fitting.iter().map(|&(.., span)| span).min().unwrap_or_default();
    let is_much_longer = |span: i64| span > 3 * shortest.max(1) && span - shortest > 14;
    fitting.sort_by_key(|&(.., span)| is_much_longer(span));
    fitting.first().map(|&(order, ..)| order).ok_or(wrong)
}

/// How often a day comes before the one above it.
fn back(dates: &[Date]) -> usize {
    dates.windows(2).filter(|pair| pair[1] < pair[0]).count()
}

/// Days from the first to the last.
fn span(dates: &[Date]) -> i64 {
    let days = || dates.iter().map(|date| i64::from(date.to_julian_day()));
    days().max().unwrap_or_default() - days().min().unwrap_or_default()
}
