//! Numbers on the command line, within what makes sense.

use clap::builder::RangedU64ValueParser;

pub(super) fn at_least(least: u64) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(least..)
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(|| "it must be a number".to_owned())
}

pub(super) fn positive(text: &str) -> Result<f64, String> {
    number(text).and_then(|x| if x > 0.0 { Ok(x) } else { Err("it must be above 0".to_owned()) })
}

pub(super) fn non_negative(text: &str) -> Result<f64, String> {
    number(text).and_then(|x| if x >= 0.0 { Ok(x) } else { Err("it must not be negative".to_owned()) })
}
