//! JSON objects read field by field. Derived code for as many types would be a tenth of the browser's module; and here too,
//! a name that nobody knows is an error.

use serde_json::{Map, Value};

/// A text in several languages, by ISO 639-1 code.
pub(super) type Texts = Vec<(String, String)>;
/// Lists of phrases or cues, by the language that they are in.
pub(super) type Lists = Vec<(String, Vec<String>)>;

/// An object of which fields are taken until none is left.
pub(super) struct Fields {
    what: &'static str,
    left: Map<String, Value>,
}

impl Fields {
    /// The object that a text is. `what` names it in errors.
    pub(super) fn parse(json: &[u8], what: &'static str) -> Result<Self, String> {
        let value =
            serde_json::from_slice(json).map_err(|error| format!("the {what} can't be read: {error}"))?;
        Self::of(value, what)
    }

    pub(super) fn of(value: Value, what: &'static str) -> Result<Self, String> {
        match value {
            Value::Object(left) => Ok(Self { what, left }),
            _ => Err(format!("the {what} can't be read: it is no object")),
        }
    }

    fn wrong(&self, name: &str) -> String {
        format!("the {} can't be read: `{name}` is missing or of another kind", self.what)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, String> {
        self.optional_text(name)?.ok_or_else(|| self.wrong(name))
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Result<Option<String>, String> {
        self.left.remove(name).map(|value| text(value).ok_or_else(|| self.wrong(name))).transpose()
    }

    pub(super) fn number(&mut self, name: &str) -> Result<f64, String> {
        self.left.remove(name).as_ref().and_then(Value::as_f64).ok_or_else(|| self.wrong(name))
    }

    pub(super) fn optional_count(&mut self, name: &str) -> Result<Option<usize>, String> {
        let count = |value: Value| value.as_u64().and_then(|count| count.try_into().ok());
        self.left.remove(name).map(|value| count(value).ok_or_else(|| self.wrong(name))).transpose()
    }

    /// Absent means no.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, String> {
        self.left.remove(name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| self.wrong(name)))
    }

    /// Absent means empty.
    pub(super) fn values(&mut self, name: &str) -> Result<Vec<Value>, String> {
        match self.left.remove(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(self.wrong(name)),
        }
    }

    /// Absent means empty.
    pub(super) fn list(&mut self, name: &str) -> Result<Vec<String>, String> {
        let list = self.values(name)?;
        list.into_iter().map(|value| text(value).ok_or_else(|| self.wrong(name))).collect()
    }

    /// Objects, read one by one. Absent means empty.
    pub(super) fn objects<T>(
        &mut self,
        name: &'static str,
        read: fn(&mut Fields) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut out = Vec::new();
        for value in self.values(name)? {
            let mut fields = Self::of(value, name)?;
            out.push(read(&mut fields)?);
            fields.end()?;
        }
        Ok(out)
    }

    /// The fields of an object within, whatever their names; absent means none.
    pub(super) fn within(&mut self, name: &str) -> Result<Map<String, Value>, String> {
        match self.left.remove(name) {
            None => Ok(Map::new()),
            Some(Value::Object(fields)) => Ok(fields),
            Some(_) => Err(self.wrong(name)),
        }
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Texts, String> {
        let mut texts = Texts::new();
        for (language, value) in self.within(name)? {
            texts.push((language, text(value).ok_or_else(|| self.wrong(name))?));
        }
        Ok(texts)
    }

    pub(super) fn lists(&mut self, name: &str) -> Result<Lists, String> {
        let mut lists = Lists::new();
        for (language, value) in self.within(name)? {
            let Value::Array(list) = value else { return Err(self.wrong(name)) };
            let list: Option<Vec<String>> = list.into_iter().map(text).collect();
            lists.push((language, list.ok_or_else(|| self.wrong(name))?));
        }
        Ok(lists)
    }

    /// Everything was taken.
    pub(super) fn end(self) -> Result<(), String> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("the {} can't be read: it has no field `{name}`", self.what)),
        }
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::parse(json.as_bytes(), "test").unwrap()
    }

    #[test]
    fn fields_are_read_by_their_kind() {
        let mut all = fields(
            r#"{"t":"x","n":2,"c":3,"f":true,"l":["a","b"],"s":{"en":"x","zh":"y"},"ls":{"en":["a"]},"o":[{"t":"z"}]}"#,
        );
        assert_eq!(all.text("t").unwrap(), "x");
        assert_eq!(all.optional_text("t").unwrap(), None);
        assert_eq!(all.number("n").unwrap(), 2.0);
        assert_eq!(all.optional_count("c").unwrap(), Some(3));
        assert!(all.flag("f").unwrap() && !all.flag("g").unwrap());
        assert_eq!(all.list("l").unwrap(), ["a", "b"]);
        assert_eq!(
            all.texts("s").unwrap(),
            [("en".to_owned(), "x".to_owned()), ("zh".to_owned(), "y".to_owned())]
        );
        assert_eq!(all.lists("ls").unwrap(), [("en".to_owned(), vec!["a".to_owned()])]);
        assert_eq!(all.objects("o", |one| one.text("t")).unwrap(), ["z"]);
        all.end().unwrap();
    }

    #[test]
    fn what_is_wrong_is_named() {
        let json =
            r#"{"t":1,"n":"x","c":-1,"f":0,"l":[1],"s":{"en":1},"ls":{"en":"a"},"o":[{"t":"z","u":1}]}"#;
        for error in [
            fields(json).text("t").unwrap_err(),
            fields("{}").text("t").unwrap_err(),
            fields(json).optional_text("t").unwrap_err(),
        ] {
            assert!(error.contains("the test can't be read: `t`"), "{error}");
        }
        assert!(fields(json).number("n").unwrap_err().contains("`n`"));
        assert!(fields(json).optional_count("c").unwrap_err().contains("`c`"));
        assert!(fields(json).flag("f").unwrap_err().contains("`f`"));
        assert!(fields(json).list("l").unwrap_err().contains("`l`"));
        assert!(fields(json).texts("s").unwrap_err().contains("`s`"));
        assert!(fields(json).lists("ls").unwrap_err().contains("`ls`"));
        assert!(fields(json).objects("o", |one| one.text("t")).unwrap_err().contains("no field `u`"));
        assert!(fields(r#"{"x":1}"#).end().unwrap_err().contains("no field `x`"));
        assert!(Fields::parse(b"[]", "test").err().unwrap().contains("no object"));
        assert!(Fields::parse(b"{", "test").err().unwrap().contains("the test can't be read"));
    }
}
