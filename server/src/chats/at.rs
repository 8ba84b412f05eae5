//! Points in time as programs write them.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// When a message was sent: an RFC 3339 string, or milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "Written")]
#[schema(value_type = String, example = "2026-09-28T10:30:05Z")]
pub struct At(pub i64);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Milliseconds(i64),
    /// Programs that count in floating point.
    Fraction(f64),
    Date(String),
}

/// Milliseconds of the years that dates are written in, -9999 to 9999.
const RANGE: std::ops::RangeInclusive<i64> = -377_705_116_800_000..=253_402_300_799_999;

impl TryFrom<Written> for At {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let milliseconds = match written {
            Written::Milliseconds(milliseconds) => Some(milliseconds),
            // What is too large for an i64 ends at its bounds, which are out of range.
            Written::Fraction(milliseconds) => Some(milliseconds as i64),
            Written::Date(date) => OffsetDateTime::parse(&date, &Rfc3339).ok().map(milliseconds),
        };
        milliseconds.filter(|milliseconds| RANGE.contains(milliseconds)).map(Self).ok_or(
            "a time must look like 2026-09-28T10:30:05Z (RFC 3339) or be a number of milliseconds since 1970",
        )
    }
}

fn milliseconds(date: OffsetDateTime) -> i64 {
    date.unix_timestamp() * 1000 + i64::from(date.millisecond())
}

/// A day and a time of it for a reader, to the minute.
#[must_use]
pub fn shown(milliseconds: i64) -> String {
    match OffsetDateTime::from_unix_timestamp(milliseconds.div_euclid(1000)) {
        Ok(date) => format!(
            "{:04}-{:02}-{:02} {:02}:{:02}",
            date.year(),
            u8::from(date.month()),
            date.day(),
            date.hour(),
            date.minute()
        ),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(json: &str) -> Option<i64> {
        serde_json::from_str::<At>(json).ok().map(|at| at.0)
    }

    #[test]
    fn both_forms_are_the_same_point_in_time() {
        for same in [
            "1790591405250",
            "1790591405250.0",
            "\"2026-09-28T10:30:05.25Z\"",
            "\"2026-09-28T12:30:05.25+02:00\"",
        ] {
            assert_eq!(read(same), Some(1_790_591_405_250), "{same}");
        }
        assert_eq!(read("-1"), Some(-1));
    }

    #[test]
    fn what_is_no_point_in_time_is_refused() {
        for wrong in
            ["\"28/09/2026\"", "\"2026-09-28T10:30:05\"", "1e300", "9223372036854775807", "true", "\"\""]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_is_shown_to_the_minute() {
        assert_eq!(shown(1_790_591_405_250), "2026-09-28 10:30");
        assert_eq!(shown(-1), "1969-12-31 23:59");
        assert_eq!(shown(i64::MAX), "");
    }
}
