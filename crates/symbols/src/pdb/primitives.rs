//! Types that have a number instead of a record.

use crate::layout::Type;

/// Numbers below this are simple types.
pub(super) const FIRST_RECORD: u32 = 0x1000;

/// A simple type: the kind in the low byte, the kind of pointer to it in the
/// next four bits. [LLVM, "PDB TPI and IPI streams": "Type Indices".]
pub(super) fn type_of(index: u32) -> Type {
    let base = base(index & 0xff);
    let size = match index & 0xf00 {
        0 => return base,
        0x400 | 0x500 => 4,
        0x600 => 8,
        _ => return Type::Unknown,
    };
    Type::Pointer { size, to: Box::new(base) }
}

fn base(kind: u32) -> Type {
    let (name, size, signed) = match kind {
        0x03 => ("void", 0, false),
        0x08 => ("HRESULT", 4, true),
        0x10 | 0x70 => ("char", 1, true),
        0x20 => ("unsigned char", 1, false),
        0x68 => ("int8", 1, true),
        0x69 => ("unsigned int8", 1, false),
        0x71 => ("wchar", 2, false),
        0x7a => ("char16", 2, false),
        0x7b => ("char32", 4, false),
        0x7c => ("char8", 1, false),
        0x11 | 0x72 => ("short", 2, true),
        0x21 | 0x73 => ("unsigned short", 2, false),
        0x12 => ("long", 4, true),
        0x22 => ("unsigned long", 4, false),
        0x74 => ("int", 4, true),
        0x75 => ("unsigned int", 4, false),
        0x13 | 0x76 => ("long long", 8, true),
        0x23 | 0x77 => ("unsigned long long", 8, false),
        0x14 | 0x78 => ("int128", 16, true),
        0x24 | 0x79 => ("unsigned int128", 16, false),
        0x30 => ("bool", 1, false),
        0x31 => ("bool16", 2, false),
        0x32 => ("bool32", 4, false),
        0x33 => ("bool64", 8, false),
        0x46 => ("float16", 2, true),
        0x40 => ("float", 4, true),
        0x41 => ("double", 8, true),
        0x42 => ("float80", 10, true),
        0x43 => ("float128", 16, true),
        _ => return Type::Unknown,
    };
    Type::Base { name: name.to_owned(), size, signed }
}
