//! The engine's data in one file, for a program that they would make too large: a mark, then each part with its length
//! before it (32 bits, little-endian). The parts are the taxonomy as JSON, the pairs of traditional and simplified
//! characters, and the model.

/// The first bytes of the file.
const MAGIC: &[u8; 8] = b"BFSCDAT1";

/// Makes the file.
#[cfg(feature = "scam-data")]
pub(super) fn write(parts: [&[u8]; 3]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for part in parts {
        bytes.extend((part.len() as u32).to_le_bytes());
        bytes.extend(part);
    }
    bytes
}

/// Takes it apart.
pub(super) fn read(bytes: &[u8]) -> Result<[&[u8]; 3], String> {
    let mut rest = bytes
        .strip_prefix(MAGIC)
        .ok_or("these are no scam data of this version: take the file that was built with this program")?;
    let mut parts = [rest; 3];
    for part in &mut parts {
        (*part, rest) = first(rest).ok_or("the scam data are cut off: take the whole file")?;
    }
    if rest.is_empty() { Ok(parts) } else { Err("the scam data are followed by something else".to_owned()) }
}

fn first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

#[cfg(all(test, feature = "scam-data"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scam::{Conversation, Engine, Setting, Side, Turn};

    #[test]
    fn a_bundle_reads_as_what_is_built_in() {
        let read = Engine::from_bundle(&Engine::bundle()).unwrap();
        let built_in = Engine::built_in().unwrap();
        assert!(read.names().eq(built_in.names()));
        assert_eq!(read.model().to_bytes().unwrap(), built_in.model().to_bytes().unwrap());
        let said = "加我微信，帶你賺錢，穩賺不賠。 Send the fee to my wallet first: https://paypa1.icu";
        assert_eq!(read.cues(said), built_in.cues(said));
        assert_eq!(read.wording(said), built_in.wording(said));
        let report = |engine| {
            let mut chat = Conversation::with(engine, Setting::default());
            chat.add(Turn { side: Side::Them, text: said, at: None });
            serde_json::to_string(&chat.report("zh-HK")).unwrap()
        };
        assert_eq!(report(&read), report(built_in));
    }

    #[test]
    fn parts_come_back_and_nothing_else_is_read() {
        let parts: [&[u8]; 3] = [b"{}", b"", b"model"];
        let bytes = write(parts);
        assert_eq!(read(&bytes), Ok(parts));
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "{length}");
        }
        assert!(read(&[&bytes[..], b"x"].concat()).unwrap_err().contains("something else"));
        assert!(read(b"\0asm....").unwrap_err().contains("this version"));
        let mut huge = bytes.clone();
        huge[8..12].fill(0xFF);
        assert!(read(&huge).unwrap_err().contains("cut off"));
    }

    #[test]
    fn what_is_wrong_inside_is_said() {
        let [taxonomy, pairs, model] = read(Box::leak(Engine::bundle().into_boxed_slice())).unwrap();
        for (parts, reason) in [
            ([b"{}".as_slice(), pairs, model], "the taxonomy can't be read"),
            ([b"\xFF", pairs, model], "something else than text"),
            ([taxonomy, "萬千\n".as_bytes(), model], "another version"),
            ([taxonomy, pairs, b"BFSCAM01"], "no model"),
        ] {
            let error = Engine::from_bundle(&write(parts)).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        Engine::from_bundle(&write([taxonomy, pairs, model])).unwrap();
    }
}
