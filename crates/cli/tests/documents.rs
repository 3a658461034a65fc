//! The documents say what the program does.
#![forbid(unsafe_code)]

mod livedump;

use livedump::Bench;

const SIMULATED_MACHINE: &str = include_str!("../../../docs/simulated-machine.md");
const EXIT_CODES: &str = include_str!("../../../docs/exit-codes.md");

/// The cells of each row of the tables in a document.
fn rows(document: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = document.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    rows.map(|row| row.split('|').map(str::trim).collect())
}

#[test]
fn every_scenario_is_in_the_documents_with_its_exit_code_and_its_options() {
    for scenario in simulator::list() {
        let name = format!("`{}`", scenario.name);
        let row = rows(SIMULATED_MACHINE).find(|cells| cells[0].contains(&name));
        let row = row.unwrap_or_else(|| panic!("{name} is not in simulated-machine.md"));
        let told = row[1].split_whitespace().next().and_then(|code| code.parse().ok());
        assert_eq!(told, Some(scenario.kernel_exit), "{name}: {row:?}");
        assert!(row[1].contains(scenario.flags), "{name}: {row:?} lacks {}", scenario.flags);
    }
}

#[test]
fn no_scenario_of_the_documents_is_missing_in_the_program() {
    let rows = rows(SIMULATED_MACHINE).filter(|cells| cells.len() == 3 && cells[0].contains('`'));
    for cells in rows {
        for name in cells[0].split('`').skip(1).step_by(2) {
            assert!(simulator::list().iter().any(|scenario| scenario.name == name), "{name}");
        }
    }
}

#[test]
fn every_exit_code_has_one_row_in_the_documents_and_is_in_the_help() {
    let codes: Vec<u8> = rows(EXIT_CODES).filter_map(|cells| cells[0].parse().ok()).collect();
    let last = capture::Class::Delivery.exit_code();
    assert_eq!(codes, (0..=last).collect::<Vec<_>>());
    let help = Bench::new().run("--help").exits(0).out;
    let table: String = help.lines().skip_while(|line| *line != "Exit codes:").take(8).collect();
    for code in codes {
        assert!(table.split_whitespace().any(|word| word == code.to_string()), "{code}: {table}");
    }
}
