//! Facts about the page that a dump opens with, against what the simulator put into its files.
#![allow(clippy::unwrap_used)] // helpers of tests may

mod common;

use common::{full, small_bitmap, triage};
use format::{Dump, Error, info};
use simulator::files::{FileSpec, Hazard, Kind, Machine};

#[test]
fn the_kernels_base_and_build_are_told_wherever_the_dump_has_them() {
    let mut told = 0;
    for kind in Kind::ALL {
        for machine in Machine::ALL.into_iter().filter(|machine| machine.has_system()) {
            let made = FileSpec::new(kind, machine).build();
            let bytes = made.bytes();
            let info = info(&bytes).unwrap();
            let dump = Dump::open(&bytes).unwrap();
            if matches!(dump.kernel_memory(), Err(Error::NoPages { .. })) {
                assert_eq!(info.kernel_base, None);
                continue;
            }
            let base = format!("{:016x}", made.truth().kernel_base);
            assert_eq!(info.kernel_base, Some(base), "{kind:?} {machine:?}");
            assert!(info.build_lab.unwrap().contains("simulated"), "{kind:?} {machine:?}");
            told += 1;
        }
    }
    assert!(told > 20, "{told}");
}

#[test]
fn what_is_encoded_or_was_never_filled_is_not_told() {
    let spec = FileSpec::new(Kind::BitmapFull, Machine::X64);
    let encoded = spec.with(Hazard::EncodedDebuggerBlock).build().bytes();
    let found = info(&encoded).unwrap();
    assert_eq!((found.kernel_base, found.build_lab), (None, None));
    let image = common::header64(3);
    let found = info(&image.0).unwrap();
    assert_eq!((found.instruction_pointer, found.exception_code), (None, None), "filler");
    assert_eq!(found.build_type.as_deref(), Some("free"));
}

#[test]
fn the_context_and_the_exception_are_told_in_their_short_form() {
    let mut image = common::header64(3);
    image.u64(0x348 + 0xF8, 0xFFFF_F800_0000_1234).u64(0x348 + 0x98, 0xFFFF_8000_0000_5678);
    image.u32(0xF00, 0xC000_0005).u64(0xF10, 0xFFFF_F800_0000_9ABC);
    let found = info(&image.0).unwrap();
    assert_eq!(found.instruction_pointer.as_deref(), Some("fffff80000001234"));
    assert_eq!(found.stack_pointer.as_deref(), Some("ffff800000005678"));
    assert_eq!(found.exception_code, Some(0xC000_0005));
    assert_eq!(found.exception_address.as_deref(), Some("fffff80000009abc"));
}

#[test]
fn memory_is_told_by_class_where_the_kind_tells_and_else_that_it_does_not() {
    let (user, kernel) = (0x7FF6_0000_1000, 0xFFFF_8500_0000_1000);
    let image = triage(&[(kernel, &[1; 0x30]), (user, &[2; 0x10]), (kernel + 8, &[1; 8])]).0;
    let told = info(&image.0).unwrap();
    let user = told.memory_classes.iter().find(|class| class.class == "user").unwrap();
    let kernel = told.memory_classes.iter().find(|class| class.class == "kernel").unwrap();
    assert_eq!(user.bytes, 0x10);
    assert!(kernel.bytes >= 0x30, "{kernel:?}");
    assert_eq!(told.memory_not_told, None);
    for image in [small_bitmap(), full(&[(0, 1)])] {
        let told = info(&image.0).unwrap();
        assert!(told.memory_classes.is_empty());
        assert!(told.memory_not_told.is_some_and(|what| what.contains("of processes")));
    }
}
