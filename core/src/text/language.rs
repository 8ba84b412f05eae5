//! Which language a text is in.

use whatlang::Lang;

/// Characters that the detector is shown: trigram counts settle long before.
const ENOUGH: usize = 4000;

/// The text's language as an ISO 639-1 code; `None` if the detector (trigrams, by whatlang) is not sure.
///
/// Only the first 4000 characters are read.
#[must_use]
pub fn detect(text: &str) -> Option<&'static str> {
    let end = text.char_indices().nth(ENOUGH).map_or(text.len(), |(index, _)| index);
    let info = whatlang::detect(&text[..end])?;
    info.is_reliable().then(|| iso_639_1(info.lang()))
}

/// Common French words that the languages around it do not have.
const FRENCH: [&str; 32] = [
    "au", "aux", "avec", "ce", "ces", "cette", "dans", "des", "dit", "du", "elle", "elles", "est", "et",
    "être", "il", "je", "les", "leur", "mais", "ne", "nous", "où", "par", "pas", "plus", "que", "qui",
    "sans", "sont", "une", "vous",
];
/// One word in so many is among them in any French text of some length.
const ONE_IN: usize = 8;

/// Whether a text seems to be French. For where a mistake costs little and the detector's tables would cost much: they would
/// be an eighth of what a browser has to load.
#[must_use]
pub fn seems_french(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let (mut all, mut french) = (0, 0);
    for word in words.take(ENOUGH) {
        all += 1;
        french += usize::from(FRENCH.contains(&word.to_lowercase().as_str()));
    }
    french >= 2 && french * ONE_IN >= all
}

/// whatlang speaks ISO 639-3; every language it knows has a two-letter code as well.
fn iso_639_1(lang: Lang) -> &'static str {
    match lang {
        Lang::Epo => "eo",
        Lang::Eng => "en",
        Lang::Rus => "ru",
        Lang::Cmn => "zh",
        Lang::Spa => "es",
        Lang::Por => "pt",
        Lang::Ita => "it",
        Lang::Ben => "bn",
        Lang::Fra => "fr",
        Lang::Deu => "de",
        Lang::Ukr => "uk",
        Lang::Kat => "ka",
        Lang::Ara => "ar",
        Lang::Hin => "hi",
        Lang::Jpn => "ja",
        Lang::Heb => "he",
        Lang::Yid => "yi",
        Lang::Pol => "pl",
        Lang::Amh => "am",
        Lang::Jav => "jv",
        Lang::Kor => "ko",
        Lang::Nob => "nb",
        Lang::Dan => "da",
        Lang::Swe => "sv",
        Lang::Fin => "fi",
        Lang::Tur => "tr",
        Lang::Nld => "nl",
        Lang::Hun => "hu",
        Lang::Ces => "cs",
        Lang::Ell => "el",
        Lang::Bul => "bg",
        Lang::Bel => "be",
        Lang::Mar => "mr",
        Lang::Kan => "kn",
        Lang::Ron => "ro",
        Lang::Slv => "sl",
        Lang::Hrv => "hr",
        Lang::Srp => "sr",
        Lang::Mkd => "mk",
        Lang::Lit => "lt",
        Lang::Lav => "lv",
        Lang::Est => "et",
        Lang::Tam => "ta",
        Lang::Vie => "vi",
        Lang::Urd => "ur",
        Lang::Tha => "th",
        Lang::Guj => "gu",
        Lang::Uzb => "uz",
        Lang::Pan => "pa",
        Lang::Aze => "az",
        Lang::Ind => "id",
        Lang::Tel => "te",
        Lang::Pes => "fa",
        Lang::Mal => "ml",
        Lang::Ori => "or",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Sin => "si",
        Lang::Khm => "km",
        Lang::Tuk => "tk",
        Lang::Aka => "ak",
        Lang::Zul => "zu",
        Lang::Sna => "sn",
        Lang::Afr => "af",
        Lang::Lat => "la",
        Lang::Slk => "sk",
        Lang::Cat => "ca",
        Lang::Tgl => "tl",
        Lang::Hye => "hy",
        Lang::Cym => "cy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_usual_ones() {
        let english =
            "The bus was late again, so I walked. Halfway down the hill my left shoe gave up for good.";
        assert_eq!(detect(english), Some("en"));
        assert_eq!(detect("今天公交车又晚点了，所以我走路去。半路上我的左脚鞋子彻底坏了。"), Some("zh"));
        assert_eq!(
            detect(
                "Сегодня автобус снова опоздал, поэтому я пошёл пешком. На полпути вниз по холму мой левый ботинок окончательно \
            развалился, и женщина, поливавшая розы, громко рассмеялась. Мы говорили десять минут о сапожниках."
            ),
            Some("ru")
        );
    }

    #[test]
    fn admits_not_to_know() {
        assert_eq!(detect(""), None);
        assert_eq!(detect("🎉🎉🎉 12345 --- ..."), None);
    }

    #[test]
    fn french_is_told_by_its_common_words() {
        for french in [
            "Est-ce vrai ? « Oui », dit-elle ; et puis 10 000 €.",
            "Le bus avait encore du retard, alors je suis descendu à pied. Ma chaussure n’a pas tenu.",
        ] {
            assert!(seems_french(french), "{french}");
        }
        for other in [
            "",
            "Elle",
            "The bus was late again, so I walked. Halfway down the hill my left shoe gave up for good.",
            "El autobús llegó tarde otra vez, así que fui a pie. A mitad de la cuesta se me rompió el zapato.",
            "L’autobus era di nuovo in ritardo, quindi sono andato a piedi. A metà strada la scarpa si è rotta.",
            "今天公交车又晚点了，所以我走路去。",
        ] {
            assert!(!seems_french(other), "{other}");
        }
    }

    #[test]
    fn two_letter_codes_are_two_letters() {
        assert!(Lang::all().iter().all(|&lang| iso_639_1(lang).len() == 2));
    }
}
