//! The description of a triage capture of several files.

use std::cell::Cell;
use std::sync::LazyLock;

use format::{File, Set, verify_set};
use memory::{VirtualAddress, VirtualMemory};
use simulator::files::{FileSpec, Kind, Machine};
use tempfile::TempDir;

/// A folder with two dumps, `a.dmp` and `b.dmp`.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let dump = FileSpec::new(Kind::Triage, Machine::X64).bare().build().bytes();
    for name in ["a.dmp", "b.dmp"] {
        std::fs::write(folder.path().join(name), &dump).unwrap();
    }
    folder
});

/// A description, which stands beside the dumps.
pub fn target(data: &[u8]) {
    let folder = FOLDER.path();
    let thread = std::thread::current();
    let path = folder.join(format!("{:?}-{}.json", thread.id(), std::process::id()));
    std::fs::write(&path, data).unwrap();
    let opened = Cell::new(0);
    let set = Set::open_present(&path, |file| {
        assert_eq!(file.parent(), Some(folder), "a file elsewhere");
        opened.set(opened.get() + 1);
        File::open(file)
    });
    if let Ok(set) = set {
        assert_eq!(set.moments().len(), opened.get());
        let found = verify_set(&set, format::Level::Structure);
        serde_json::to_string(&found).unwrap();
        let whole = (0..opened.get()).all(|number| set.file(number).is_some());
        match set.memory() {
            Ok(memory) => {
                assert!(whole && memory.triages().len() == opened.get());
                let _ = memory.read_virtual(VirtualAddress(0xFFFF_F800_0000_0000), &mut [0; 8]);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    let _ = std::fs::remove_file(&path);
}
