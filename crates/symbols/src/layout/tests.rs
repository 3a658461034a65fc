use super::*;

fn number(size: u8) -> Type {
    Type::Base { name: "unsigned long".to_owned(), size, signed: false }
}

fn field(name: &str, offset: u64, type_: Type) -> Field {
    Field { name: name.to_owned(), offset, bits: None, type_ }
}

fn made() -> Layouts {
    let mut layouts = Layouts::new(Origin::Profile, None);
    let header = vec![field("Type", 0, number(1)), field("SignalState", 4, number(4))];
    layouts.add_structure("_HEADER", Structure { size: 0x18, kind: Kind::Struct, fields: header });
    let inner = vec![
        field("Low", 0, number(4)),
        Field { bits: Some(Bits { position: 3, length: 2 }), ..field("Flag", 4, number(4)) },
    ];
    layouts.add_structure("inner", Structure { size: 8, kind: Kind::Union, fields: inner });
    let array = Type::Array { count: 4, of: Box::new(Type::Structure("_HEADER".to_owned())) };
    let fields = vec![
        field("Header", 0x10, Type::Structure("_HEADER".to_owned())),
        field("", 0x40, Type::Structure("inner".to_owned())),
        field("", 0x40, Type::Structure("_THREAD".to_owned())),
        field("Headers", 0x100, array),
        field(
            "Next",
            0x200,
            Type::Pointer { size: 8, to: Box::new(Type::Structure("_THREAD".to_owned())) },
        ),
    ];
    layouts.add_structure("_THREAD", Structure { size: 0x300, kind: Kind::Struct, fields });
    layouts
}

#[test]
fn a_path_adds_the_offsets_of_what_it_goes_through() {
    let layouts = made();
    let at = |path| layouts.field("_THREAD", path).map(|found| (found.offset, found.size));
    assert_eq!(at("Header"), Some((0x10, 0x18)));
    assert_eq!(at("Header.SignalState"), Some((0x14, 4)));
    assert_eq!(at("Headers[2].Type"), Some((0x130, 1)));
    assert_eq!(at("Headers"), Some((0x100, 0x60)));
    assert_eq!(at("Next"), Some((0x200, 8)));
    for path in
        ["", ".", "Header.", "Header.None", "Headers[4]", "Headers[x]", "Next.Header", "Header[0]"]
    {
        assert_eq!(at(path), None, "{path:?}");
    }
}

#[test]
fn fields_of_unions_without_a_name_are_the_owners() {
    let layouts = made();
    assert_eq!(layouts.field("_THREAD", "Low").unwrap().offset, 0x40);
    let flag = layouts.field("_THREAD", "Flag").unwrap();
    assert_eq!((flag.offset, flag.bits.unwrap().of(0b1_0111)), (0x44, 0b10));
    // A structure without a name that lies in itself is damage, and no hang.
    assert_eq!(layouts.field("_THREAD", "NotThere"), None);
}

#[test]
fn a_selection_brings_what_lies_in_it_and_not_what_is_pointed_at() {
    let mut layouts = made();
    let fields = vec![field(
        "Thread",
        0,
        Type::Pointer { size: 8, to: Box::new(Type::Structure("_THREAD".to_owned())) },
    )];
    layouts.add_structure("_OTHER", Structure { size: 8, kind: Kind::Struct, fields });
    let names =
        |names: &[&str]| layouts.select(names).structures().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&["_THREAD"]), ["_HEADER", "_THREAD", "inner"]);
    assert_eq!(names(&["_OTHER", "none"]), ["_OTHER"]);
    assert_eq!(layouts.structure("_OTHER").unwrap().fields[0].type_.points_to(), Some("_THREAD"));
}

#[test]
fn bits_of_impossible_places_are_no_panic() {
    assert_eq!(Bits { position: 255, length: 255 }.of(u64::MAX), 0);
    assert_eq!(Bits { position: 0, length: 64 }.of(u64::MAX), u64::MAX);
}
