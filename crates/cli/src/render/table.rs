//! Lists: a heading, one record a line, no borders, never wrapped.

use comfy_table::{CellAlignment, ContentArrangement, presets};

use super::clean;

/// A list under construction.
pub(crate) struct Table(comfy_table::Table);

impl Table {
    /// A heading for each column.
    pub(crate) fn new(heading: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(heading);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self(table)
    }

    /// Numbers stand at the right.
    pub(crate) fn right(mut self, columns: &[usize]) -> Self {
        for index in columns {
            if let Some(column) = self.0.column_mut(*index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self
    }

    /// One record.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.0.add_row(cells.map(|cell| clean(&cell)));
    }

    /// The lines, without blanks at their ends.
    pub(crate) fn into_text(self) -> String {
        self.0.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_record_a_line_and_no_blanks_at_the_end() {
        let mut table = Table::new(&["PID", "NAME"]).right(&[0]);
        table.row(["4".into(), "System".into()]);
        table.row(["1234".into(), "x".repeat(300)]);
        let text = table.into_text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..2], [" PID  NAME", "   4  System"]);
        assert_eq!(lines.len(), 3);
    }
}
