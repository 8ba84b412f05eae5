//! Points in time as statements write them: RFC 3339, in UTC, to the second.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// Seconds since 1970, UTC, of the years 1970 to 9999; written as `2026-11-25T08:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-11-25T08:00:00Z"))]
pub struct Timestamp(u64);

/// 9999-12-31T23:59:59Z.
const LAST: u64 = 253_402_300_799;

/// Not a date of this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a date must look like 2026-11-25T08:00:00Z (RFC 3339, UTC, to the second)")]
pub struct NotADate;

impl Timestamp {
    /// From seconds since 1970; what is later than the year 9999 becomes its end.
    #[must_use]
    pub fn from_unix(seconds: u64) -> Self {
        Self(seconds.min(LAST))
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn unix(self) -> u64 {
        self.0
    }

    /// So many seconds later.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).unwrap_or_default();
        let date = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| fmt::Error)?;
        f.write_str(&date.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Timestamp {
    type Err = NotADate;

    /// Only the one form that is written, so that equal dates are equal bytes.
    fn from_str(text: &str) -> Result<Self, NotADate> {
        let date = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| NotADate)?;
        let seconds = u64::try_from(date.unix_timestamp()).map_err(|_| NotADate)?;
        let made = Self(seconds);
        if date.offset() == UtcOffset::UTC && made.to_string() == text { Ok(made) } else { Err(NotADate) }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_form_only() {
        let date: Timestamp = "2026-11-25T08:00:00Z".parse().unwrap();
        assert_eq!((date.unix(), date.to_string().as_str()), (1_795_593_600, "2026-11-25T08:00:00Z"));
        for wrong in [
            "",
            "2026-11-25",
            "2026-11-25T08:00:00",
            "2026-11-25t08:00:00Z",
            "2026-11-25T08:00:00.0Z",
            "2026-11-25T08:00:00+00:00",
            "2026-11-25T09:00:00+01:00",
            "1969-12-31T23:59:59Z",
            "2026-02-30T00:00:00Z",
            "2026-11-25T08:00:60Z",
        ] {
            assert_eq!(wrong.parse::<Timestamp>(), Err(NotADate), "{wrong}");
        }
        assert_eq!(Timestamp::from_unix(u64::MAX).to_string(), "9999-12-31T23:59:59Z");
    }
}
