//! The HTTP header `Link` (RFC 8288): where a page says that its statement is.

const RELATION: &str = "human-statement";
/// The most targets that are taken.
const MOST: usize = 10;

/// The targets of links with our relation in the values of the header, in order.
pub(super) fn statements<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    values.flat_map(links).filter(|link| link.is_ours).map(|link| link.target).take(MOST).collect()
}

struct Link {
    target: String,
    is_ours: bool,
}

/// The links of one value: `<target>; name=value; name="value", <target> …`.
fn links(value: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut rest = value;
    while let Some((target, after)) = rest.split_once('<').and_then(|(_, inner)| inner.split_once('>')) {
        let end = outside_quotes(after, ',');
        let (parameters, next) = after.split_at(end);
        let relations = split(parameters).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"'))
        });
        let is_ours = relations
            .is_some_and(|all| all.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(RELATION)));
        links.push(Link { target: target.trim().to_owned(), is_ours });
        rest = next;
    }
    links
}

/// The parts between semicolons.
fn split(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let (part, rest) = text.split_at(outside_quotes(text, ';'));
        text = rest.get(1..).unwrap_or_default();
        Some(part)
    })
}

/// Where a character first stands outside a quoted string, or the end.
fn outside_quotes(text: &str, wanted: char) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == wanted && !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_our_relation() {
        for (value, targets) in [
            ("</a.human.json>; rel=human-statement", &["/a.human.json"][..]),
            (
                "<a>; rel=\"next human-statement\"; title=\"x, y; rel=z\", <b>;REL=Human-Statement",
                &["a", "b"],
            ),
            ("<a>; rel=next, <b>; title=\"rel=human-statement\"", &[]),
            ("<a>; title=\"\\\", <b>; rel=human-statement", &[]),
            ("", &[]),
            ("<a", &[]),
        ] {
            assert_eq!(statements([value].into_iter()), targets, "{value}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(value: String) {
            let _ = statements([value.as_str()].into_iter());
        }
    }
}
