//! Lists: a heading, one record a line, no borders, never wrapped.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::clean;

/// Blanks between columns.
const GAP: usize = 2;

/// The columns of a list: their headings, and how wide they must be.
pub(crate) struct Columns<const N: usize> {
    heading: [&'static str; N],
    right: &'static [usize],
    widths: [usize; N],
}

impl<const N: usize> Columns<N> {
    /// A heading for each column; numbers stand at the right.
    pub(crate) fn new(heading: [&'static str; N], right: &'static [usize]) -> Self {
        Self { heading, right, widths: heading.map(UnicodeWidthStr::width) }
    }

    /// Makes room for a record.
    pub(crate) fn measure(&mut self, cells: &[String; N]) {
        for (width, cell) in self.widths.iter_mut().zip(cells) {
            *width = (*width).max(clean(cell).width());
        }
    }

    /// Writes the heading, and records that were all measured before.
    pub(crate) fn write(
        &self,
        out: &mut dyn Write,
        rows: impl Iterator<Item = [String; N]>,
    ) -> io::Result<()> {
        out.write_all(line(&self.heading, &self.widths, self.right).as_bytes())?;
        for row in rows {
            out.write_all(line(&row, &self.widths, self.right).as_bytes())?;
        }
        Ok(())
    }
}

/// A list under construction.
pub(crate) struct Table {
    /// The heading first.
    rows: Vec<Vec<String>>,
    right: &'static [usize],
}

impl Table {
    /// A heading for each column.
    pub(crate) fn new(heading: &[&str]) -> Self {
        let heading = heading.iter().map(|&text| text.to_owned()).collect();
        Self { rows: vec![heading], right: &[] }
    }

    /// Numbers stand at the right.
    pub(crate) fn right(self, columns: &'static [usize]) -> Self {
        Self { right: columns, ..self }
    }

    /// One record.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// The lines, without blanks at their ends.
    pub(crate) fn into_text(self) -> String {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(clean(cell).width());
            }
        }
        self.rows.iter().map(|row| line(row, &widths, self.right)).collect()
    }
}

fn line(cells: &[impl AsRef<str>], widths: &[usize], right: &[usize]) -> String {
    let mut line = String::new();
    for (number, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let cell = clean(cell.as_ref());
        let room = " ".repeat(width.saturating_sub(cell.width()));
        let parts = if right.contains(&number) { [room, cell] } else { [cell, room] };
        line.extend(parts);
        line.extend([' '; GAP]);
    }
    line.truncate(line.trim_end().len());
    line + "\n"
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

    #[test]
    fn columns_stand_below_each_other_where_characters_are_wide_or_cannot_be_shown() {
        let rows = [["日本".into(), "1".into()], ["a\n".into(), "10".into()]];
        let mut columns = Columns::new(["NAME", "N"], &[1]);
        rows.iter().for_each(|row| columns.measure(row));
        let mut text = Vec::new();
        columns.write(&mut text, rows.into_iter()).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, "NAME     N\n日本     1\na\\u{a}  10\n");
    }
}
