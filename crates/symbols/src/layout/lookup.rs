//! The path of a field.

use std::collections::BTreeSet;

use super::{Bits, Field, Layouts, Type};

/// A field that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldAt<'a> {
    /// Bytes from the start of the structure the path began in.
    pub offset: u64,
    /// Its bytes: for a bit field those of the number its bits are in. 0 for
    /// what has no size, or none that is known.
    pub size: u64,
    /// Which bits, where it is a bit field.
    pub bits: Option<Bits>,
    /// What it is.
    pub type_: &'a Type,
}

/// Arrays of arrays of arrays: deeper ones are damage.
const MAX_DEPTH: u32 = 32;

pub(super) fn field<'a>(layouts: &'a Layouts, structure: &str, path: &str) -> Option<FieldAt<'a>> {
    let mut owner = layouts.structure(structure)?;
    let mut at = 0_u64;
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        let (name, index) = split_index(step)?;
        let (offset, field) = member(layouts, &owner.fields, name)?;
        at = at.checked_add(offset)?;
        let mut type_ = &field.type_;
        if let Some(index) = index {
            let Type::Array { count, of } = type_ else { return None };
            // An array of one element at a structure's end goes on behind it.
            if index >= *count && *count > 1 {
                return None;
            }
            at = at.checked_add(size_of(layouts, of, 0)?.checked_mul(index)?)?;
            type_ = of;
        }
        if steps.peek().is_none() {
            let size = size_of(layouts, type_, 0).unwrap_or(0);
            return Some(FieldAt { offset: at, size, bits: field.bits, type_ });
        }
        let Type::Structure(next) = type_ else { return None };
        owner = layouts.structure(next)?;
    }
    None
}

/// `Queue[2]` is `Queue` and 2.
fn split_index(step: &str) -> Option<(&str, Option<u64>)> {
    match step.split_once('[') {
        None => Some((step, None)),
        Some((name, rest)) => Some((name, Some(rest.strip_suffix(']')?.parse().ok()?))),
    }
}

/// A field by name, also where it lies in one without a name. Each structure
/// is entered once: in a damaged file they may lie in each other.
fn member<'a>(layouts: &'a Layouts, fields: &'a [Field], name: &str) -> Option<(u64, &'a Field)> {
    let mut left = vec![(0_u64, fields)];
    let mut entered = BTreeSet::new();
    while let Some((base, fields)) = left.pop() {
        if let Some(field) = fields.iter().find(|field| field.name == name && !name.is_empty()) {
            return Some((base.checked_add(field.offset)?, field));
        }
        for field in fields.iter().filter(|field| field.name.is_empty()) {
            let Type::Structure(inner) = &field.type_ else { continue };
            let Some(offset) = base.checked_add(field.offset) else { continue };
            if let (true, Some(inner)) = (entered.insert(inner), layouts.structure(inner)) {
                left.push((offset, &inner.fields));
            }
        }
    }
    None
}

pub(super) fn size_of(layouts: &Layouts, type_: &Type, depth: u32) -> Option<u64> {
    match type_ {
        Type::Base { size, .. } | Type::Pointer { size, .. } | Type::Enumeration { size, .. } => {
            Some(u64::from(*size))
        }
        Type::Array { count, of } if depth < MAX_DEPTH => {
            size_of(layouts, of, depth + 1)?.checked_mul(*count)
        }
        Type::Structure(name) => Some(layouts.structure(name)?.size),
        Type::Array { .. } | Type::Function | Type::Unknown => None,
    }
}
