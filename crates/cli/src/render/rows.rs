//! Records of an answer that are made when they are written: a list of all
//! threads is longer than what shall be kept in memory.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

/// Records that can be gone through again and again, each made anew.
pub(crate) struct Rows<'r, T>(Make<'r, T>);

type Make<'r, T> = Box<dyn Fn() -> Box<dyn Iterator<Item = T> + 'r> + 'r>;

impl<'r, T: 'r> Rows<'r, T> {
    /// What makes the records.
    pub(crate) fn of<I: Iterator<Item = T> + 'r>(make: impl Fn() -> I + 'r) -> Self {
        Self(Box::new(move || Box::new(make())))
    }

    /// Goes through them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + 'r {
        (self.0)()
    }
}

impl<'r, T: Serialize + 'r> Serialize for Rows<'r, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<T: JsonSchema> JsonSchema for Rows<'_, T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn inline_schema() -> bool {
        Vec::<T>::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}
