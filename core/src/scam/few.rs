//! A map of some dozens of keys: the standard library's cost the browser's module 4 kB and more for each pair of types.

use std::borrow::Borrow;

/// A map in the order of its keys.
#[derive(Debug, Clone)]
pub(super) struct Few<K, V>(Vec<(K, V)>);

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Few<K, V> {
    /// The value of a key, which is made if it is missing.
    pub(super) fn or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let at = match self.0.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, value()));
                at
            }
        };
        &mut self.0[at].1
    }

    /// Says whether the key is new; if it is not, the value that it has stays.
    pub(super) fn insert(&mut self, key: K, value: V) -> bool {
        let before = self.0.len();
        self.or_insert_with(key, || value);
        self.0.len() > before
    }

    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.0.binary_search_by(|(other, _)| other.borrow().cmp(key)).ok()?;
        Some(&self.0[at].1)
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, (K, V)> {
        self.0.iter()
    }

    pub(super) fn into_entries(self) -> Vec<(K, V)> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_stand_in_order_and_once() {
        let mut few: Few<String, u32> = Few::default();
        for (key, new) in [("m", true), ("a", true), ("z", true), ("m", false), ("b", true)] {
            assert_eq!(few.insert(key.to_owned(), 1), new, "{key}");
        }
        *few.or_insert_with("z".to_owned(), || 0) += 5;
        *few.or_insert_with("c".to_owned(), || 0) += 7;
        assert_eq!((few.get("z"), few.get("c"), few.get("y")), (Some(&6), Some(&7), None));
        let keys: Vec<&str> = few.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["a", "b", "c", "m", "z"]);
        assert_eq!(few.into_entries().len(), 5);
    }
}
