//! English words without their endings: a light stemmer, so that a cue finds invest, invests, invested and investing.

/// A word, in lower case, without the endings of number and tense. Other scripts' words stay as they are.
pub(crate) fn stem(word: &str) -> &str {
    if word.len() < 4 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word;
    }
    let short = ending(word);
    let short = short.trim_end_matches('e');
    // Not so much that nothing is left: free, agree.
    if short.len() >= 3 { short } else { &word[..word.len().min(3)] }
}

fn ending(word: &str) -> &str {
    for end in ["ing", "ed"] {
        if let Some(rest) = word.strip_suffix(end)
            && rest.len() >= 3
            && rest.bytes().any(|byte| b"aeiouy".contains(&byte))
        {
            return single(rest);
        }
    }
    if let Some(rest) = word.strip_suffix('s')
        && rest.len() >= 3
        && !rest.ends_with(['s', 'u', 'i'])
    {
        return rest;
    }
    word
}

/// Without a consonant that was doubled before the ending: transferr(ed), dropp(ing). Those that words end in anyway stay.
fn single(rest: &str) -> &str {
    let bytes = rest.as_bytes();
    match bytes {
        [.., a, b] if a == b && !b"aeiouylsz".contains(b) && rest.len() > 3 => &rest[..rest.len() - 1],
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for forms in [
            &["invest", "invests", "invested", "investing"][..],
            &["transfer", "transfers", "transferred", "transferring"],
            &["trade", "trades", "traded", "trading"],
            &["guarantee", "guarantees", "guaranteed"],
            &["call", "calls", "called", "calling"],
            &["tax", "taxes", "taxed"],
            &["process", "processes", "processing"],
            &["fee", "fees"],
        ] {
            for form in forms {
                assert_eq!(stem(form), stem(forms[0]), "{form}");
            }
        }
    }

    #[test]
    fn other_words_stay_apart() {
        for (one, other) in [("gold", "golden"), ("bus", "bu"), ("sing", "s"), ("need", "ne"), ("код", "ко")]
        {
            assert_ne!(stem(one), stem(other));
        }
    }
}
