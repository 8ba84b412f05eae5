#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::testing::{at, key, revocation, store};
use super::super::{Pin, TrustStore};
use super::*;
use crate::directory::testing::{Site, status};
use bonafide_core::signature::published::{Reason, Revocation, WELL_KNOWN_PATH};

const DAY: u64 = 86_400;

fn listed(number: u32) -> ListedKey {
    ListedKey { key: key(number), name: None, valid_from: None, valid_until: None, revoked: None }
}

fn ended(number: u32, revocation: Revocation) -> ListedKey {
    ListedKey { revoked: Some(revocation), ..listed(number) }
}

/// A reader of statements that name one site.
struct Reader {
    _folder: tempfile::TempDir,
    site: Site,
    store: TrustStore,
    directory: Directory,
    day: std::cell::Cell<u64>,
}

impl Reader {
    fn new() -> Self {
        let (folder, store) = store();
        let site = Site::new();
        let directory = site.directory(folder.path());
        Self { _folder: folder, site, store, directory, day: 0.into() }
    }

    /// What is known of a key on the next day, when nothing that was fetched is new enough any more.
    fn sees(&self, number: u32) -> KeyFacts {
        self.learns(number, Word::Checked)
    }

    /// The same, if another program says that the key signed a statement.
    fn is_told(&self, number: u32) -> KeyFacts {
        self.learns(number, Word::Said)
    }

    fn learns(&self, number: u32, word: Word) -> KeyFacts {
        self.day.set(self.day.get() + 1);
        let now = at(self.day.get() * DAY);
        let identity = self.site.identity();
        facts(&self.store, Some(&self.directory), &key(number), Some(&identity), word, now).unwrap()
    }

    fn offline(&self, number: u32, identity: Option<&Identity>) -> KeyFacts {
        facts(&self.store, None, &key(number), identity, Word::Checked, at(0)).unwrap()
    }

    fn pin(&self) -> Option<Pin> {
        self.store.pinned(&self.site.identity()).unwrap()
    }
}

#[test]
fn nothing_is_known_of_a_strangers_key() {
    let reader = Reader::new();
    assert_eq!(reader.offline(1, None), KeyFacts::default());
    assert_eq!(reader.offline(1, Some(&reader.site.identity())), KeyFacts::default());
    assert!(!reader.store.path().exists());
}

#[test]
fn the_first_use_is_remembered_if_the_site_publishes_the_key() {
    let reader = Reader::new();
    reader.site.publish(vec![listed(1), listed(2)]);
    assert_eq!(reader.sees(9), KeyFacts { publication: Publication::Absent, ..KeyFacts::default() });
    assert_eq!(reader.pin(), None);
    let seen = reader.sees(1);
    assert_eq!(seen, KeyFacts { publication: Publication::Listed(listed(1)), ..KeyFacts::default() });
    let pin = reader.pin().unwrap();
    assert!(pin.holds(&key(1)) && pin.holds(&key(2)) && !pin.holds(&key(9)));
    assert_eq!(pin.published.unwrap().keys.len(), 2);
    // Somebody who claims to be of this site.
    let other = reader.sees(9);
    assert!(other.changed && other.publication == Publication::Absent);
    assert!(reader.offline(9, Some(&reader.site.identity())).changed);
    assert!(!reader.offline(2, Some(&reader.site.identity())).changed);
}

#[test]
fn nothing_is_written_while_nothing_is_new() {
    let reader = Reader::new();
    reader.site.publish(vec![listed(1)]);
    reader.sees(1);
    let before = std::fs::metadata(reader.store.path()).unwrap().modified().unwrap();
    reader.sees(1);
    assert_eq!(std::fs::metadata(reader.store.path()).unwrap().modified().unwrap(), before);
}

#[test]
fn a_key_beside_a_pinned_one_is_an_addition() {
    let reader = Reader::new();
    reader.site.publish(vec![listed(1)]);
    reader.sees(1);
    let expired = ListedKey { valid_until: Some(at(0)), ..listed(1) };
    reader.site.publish(vec![expired, listed(2)]);
    let seen = reader.sees(2);
    assert!(!seen.changed && seen.publication == Publication::Listed(listed(2)));
    // The old one may go now.
    reader.site.publish(vec![listed(2)]);
    assert!(!reader.sees(2).changed);
}

#[test]
fn a_key_in_place_of_a_pinned_one_is_loud_until_it_is_accepted() {
    for revoked in [false, true] {
        for accept in 0..3 {
            let reader = Reader::new();
            reader.site.publish(vec![listed(1)]);
            reader.sees(1);
            let mut keys = vec![listed(2)];
            if revoked {
                keys.push(ended(1, revocation(0, Reason::Superseded)));
            }
            reader.site.publish(keys);
            for _ in 0..2 {
                let seen = reader.sees(2);
                assert!(seen.changed && matches!(seen.publication, Publication::Listed(_)), "{seen:?}");
            }
            match accept {
                0 => reader.store.add_contact("Ada", &key(2), None, at(0)).unwrap(),
                1 => drop(reader.store.unpin(&reader.site.identity()).unwrap()),
                _ => reader.store.pin(&reader.site.identity(), &[key(2)], at(0)).unwrap(),
            }
            let seen = reader.sees(2);
            assert!(!seen.changed, "{accept}");
            assert_eq!(seen.contact.is_some(), accept == 0);
            assert!(reader.pin().unwrap().holds(&key(2)), "{accept}");
        }
    }
}

#[test]
fn a_key_that_the_user_revoked_vouches_for_no_other() {
    let reader = Reader::new();
    reader.site.publish(vec![listed(1)]);
    reader.sees(1);
    reader.store.revoke(&key(1), revocation(0, Reason::Compromised)).unwrap();
    reader.site.publish(vec![listed(1), listed(2)]);
    assert!(reader.sees(2).changed);
}

#[test]
fn a_published_revocation_can_not_be_taken_back() {
    let reader = Reader::new();
    let identity = reader.site.identity();
    let compromised = revocation(9, Reason::Compromised);
    reader.site.publish(vec![listed(1)]);
    reader.sees(1);
    reader.site.publish(vec![listed(1), ended(1, compromised)]);
    let seen = reader.sees(1);
    assert_eq!(seen.revoked, Some(compromised));
    assert_eq!(seen.publication, Publication::Listed(ended(1, compromised)));
    for list in [vec![listed(1)], vec![ended(1, revocation(99, Reason::Retired))], vec![]] {
        reader.site.publish(list);
        assert_eq!(reader.sees(1).revoked, Some(compromised));
    }
    // The key said whose it is, so this counts everywhere.
    assert_eq!(reader.offline(1, None).revoked, Some(compromised));
    assert_eq!(reader.offline(1, Some(&identity)).revoked, Some(compromised));
    reader.store.revoke(&key(1), revocation(3, Reason::Compromised)).unwrap();
    assert_eq!(reader.offline(1, None).revoked, Some(revocation(3, Reason::Compromised)));
}

#[test]
fn nobody_revokes_the_keys_of_others() {
    let reader = Reader::new();
    let compromised = revocation(0, Reason::Compromised);
    reader.store.add_contact("Ada", &key(1), None, at(0)).unwrap();
    // A site of somebody else, whose own key is 2.
    reader.site.publish(vec![listed(2), ended(1, compromised)]);
    assert_eq!(reader.sees(2).revoked, None);
    assert_eq!(reader.offline(1, None).revoked, None);
    assert!(reader.store.export_allowed_signers().unwrap().contains(&key(1).to_openssh()));
    assert_eq!(reader.offline(1, Some(&reader.site.identity())).revoked, Some(compromised));
}

#[test]
fn hearsay_pins_only_what_the_identity_publishes() {
    let reader = Reader::new();
    reader.site.publish(vec![listed(1)]);
    assert_eq!(reader.is_told(9).publication, Publication::Absent);
    assert_eq!(reader.pin(), None);
    let told = reader.is_told(1);
    assert_eq!((told.publication, told.changed), (Publication::Listed(listed(1)), false));
    assert!(reader.pin().unwrap().holds(&key(1)));
    assert!(reader.sees(9).changed);
}

#[test]
fn hearsay_does_not_make_a_site_the_judge_of_others_keys() {
    let reader = Reader::new();
    let compromised = revocation(0, Reason::Compromised);
    reader.site.publish(vec![ended(1, compromised)]);
    assert_eq!(reader.is_told(1).revoked, Some(compromised), "for a statement that names the site");
    assert_eq!(reader.offline(1, None).revoked, None);
    reader.sees(1);
    assert_eq!(reader.offline(1, None).revoked, Some(compromised), "the key itself has named the site");
}

#[test]
fn hearsay_of_a_contact_quiets_no_change_of_keys() {
    let reader = Reader::new();
    reader.site.publish(vec![listed(1)]);
    reader.sees(1);
    reader.store.add_contact("Ada", &key(2), None, at(0)).unwrap();
    // Whoever has taken the site over lists a contact's key beside the new one.
    reader.site.publish(vec![listed(2), listed(3)]);
    reader.is_told(2);
    assert!(reader.is_told(3).changed);
    reader.sees(2);
    assert!(!reader.sees(3).changed, "the contact has named the site");
}

#[test]
fn a_site_that_is_down_is_no_verdict() {
    let reader = Reader::new();
    assert!(matches!(reader.sees(1).publication, Publication::Unreachable(_)));
    reader.site.publish(vec![listed(1)]);
    reader.sees(1);
    reader.site.hang_up();
    let seen = reader.sees(1);
    assert_eq!((seen.publication, seen.changed), (Publication::Listed(listed(1)), false));
    let seen = reader.sees(2);
    assert!(matches!(seen.publication, Publication::Unreachable(_)) && seen.changed);
    reader.site.set(WELL_KNOWN_PATH, status("404 Not Found"));
    let seen = reader.sees(1);
    assert_eq!((seen.publication, seen.changed), (Publication::Absent, false));
}

#[test]
fn long_lists_are_remembered_in_part() {
    let reader = Reader::new();
    let mut keys: Vec<_> = (0..100).map(listed).collect();
    keys.extend((100..200).map(|number| ended(number, revocation(0, Reason::Retired))));
    reader.site.publish(keys);
    reader.sees(99);
    let pin = reader.pin().unwrap();
    assert!(pin.holds(&key(99)) && pin.keys.len() == MAX_REMEMBERED + 1);
    assert_eq!(pin.published.unwrap().keys.len(), MAX_REMEMBERED);
    assert_eq!(reader.store.revocations().unwrap().len(), MAX_REMEMBERED);
    assert!(!reader.sees(98).changed);
    assert!(reader.sees(199).revoked.is_some());
}
