//! volatility3's symbols of a kernel, packed as it packs them: made by its own
//! pdbconv from the simulated kernel's PDB (`fixtures/isf.py`).
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use inside::{Beside, Case};
use serde_json::Value;
use symbols::Isf;

const ISF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/x64-a.isf.json.xz");

/// Without what names files and what the drivers' PDBs name.
fn compared(value: &Value) -> Value {
    const LEFT_OUT: [&str; 7] =
        ["symbol", "symbol_from", "offset", "files", "types", "layout", "routine"];
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
            fields.map(|(name, value)| (name.clone(), compared(value))).collect()
        }
        Value::Array(items) => items.iter().map(compared).collect(),
        other => other.clone(),
    }
}

#[test]
fn with_a_packed_isf_hang_finds_what_it_finds_with_the_pdb() {
    for scenario in ["deadlock", "stuck-irp", "alpc-chain", "dpc-storm", "user-callbacks"] {
        let case = Case::of(scenario, "a");
        let with_pdb = case.ask("hang");
        let (code, with_isf) = case.bench.json(&format!("hang x.dmp --profile {ISF}"));
        assert_eq!(code, 0);
        let layout = &with_isf["kernel"]["layout"];
        assert_eq!(layout[0]["source"], "isf");
        assert_eq!(layout[0]["members"], with_pdb["kernel"]["layout"][0]["members"]);
        assert_eq!(with_isf["kernel"]["types"]["matched"], "identity");
        for part in ["lists", "relations", "chains", "cycles", "requests", "busy_processors"] {
            assert_eq!(compared(&with_isf[part]), compared(&with_pdb[part]), "{scenario} {part}");
        }
    }
}

#[test]
fn with_a_packed_isf_lists_and_stacks_are_the_machine_s() {
    let case = Case::with("deadlock", "a", Beside::Profile(ISF.to_owned()));
    case.agrees(case.compare_tables());
    case.agrees(case.compare_stacks(&case.ask("stacks")));
}

#[test]
fn it_is_found_where_volatility3_keeps_it() {
    let case = Case::of("healthy", "a");
    let folder = case.bench.path("symbols/windows/ntkrnlmp.pdb");
    std::fs::create_dir_all(&folder).unwrap();
    let identity = Isf::identity_of(&std::fs::read(ISF).unwrap()).unwrap().unwrap();
    let name = format!("{}-{}.json.xz", identity.guid.digits(), identity.age);
    std::fs::copy(ISF, folder.join(name)).unwrap();
    let (code, answer) = case.bench.json("ps x.dmp --symbols symbols");
    assert_eq!((code, &answer["kernel"]["layout"][0]["source"]), (0, &"isf".into()));
}

#[test]
fn one_that_is_cut_is_refused_and_says_where() {
    let case = Case::of("healthy", "a");
    let bytes = std::fs::read(ISF).unwrap();
    case.bench.write("cut.json.xz", &bytes[..bytes.len() / 2]);
    let told = case.bench.run("ps x.dmp --profile cut.json.xz").exits(0).out;
    assert!(told.contains("not used: as an ISF: as a file packed with xz: at byte "), "{told}");
}
