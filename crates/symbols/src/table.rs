//! Symbols by address and by name.

/// Where a symbol comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SymbolKind {
    /// The image's export table.
    Export,
    /// A PDB's public symbols, or the symbols of an ISF.
    Public,
    /// A procedure record of a private PDB: its length is known.
    Procedure,
}

/// A symbol that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Its name, as the file has it: see [`crate::demangle`].
    pub name: &'a str,
    /// Where it starts, relative to the image's base.
    pub rva: u32,
    /// How many bytes after its start the address is that was asked for.
    pub displacement: u32,
    /// Where it comes from.
    pub kind: SymbolKind,
}

/// The symbols of one image. Names share one buffer; two indexes of 32-bit
/// numbers find them.
#[derive(Debug, Clone, Default)]
pub struct SymbolTable {
    names: String,
    entries: Vec<Entry>,
    /// Numbers of entries, by name.
    by_name: Vec<u32>,
    /// Address ranges no symbol reaches out of: the image's sections, sorted.
    sections: Vec<(u32, u32)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    rva: u32,
    name: u32,
    name_length: u16,
    kind: SymbolKind,
    /// 0: not known.
    length: u32,
}

/// Longer names are cut: C++ templates reach this, people do not.
const MAX_NAME: usize = 4096;

/// Whether a name is that of a text in the program, as MSVC mangles it: what
/// lies behind the text is something else, mostly code.
fn is_text(name: &str) -> bool {
    name.starts_with("??_C@")
}

impl SymbolTable {
    /// Builds one.
    pub fn builder() -> SymbolTableBuilder {
        SymbolTableBuilder::default()
    }

    /// The symbol that covers `rva`, or the nearest below it in the same
    /// section. With several at one address: a procedure before a public
    /// symbol before an export, then the first by name.
    pub fn at(&self, rva: u32) -> Option<Symbol<'_>> {
        let (mut start, section) = (0, self.section_of(rva));
        if !self.sections.is_empty() {
            start = section?;
        }
        let end = self.entries.partition_point(|entry| entry.rva <= rva);
        let mut fallback = None;
        // A procedure that ended before `rva` hides what is below it only
        // where nothing else is known.
        for group in self.entries[..end].chunk_by(|a, b| a.rva == b.rva).rev().take(4) {
            let best = group.iter().filter(|e| e.length == 0 || rva - e.rva < e.length);
            if group[0].rva < start {
                break;
            }
            if let Some(entry) = best.max_by_key(|e| e.kind) {
                fallback = Some(entry);
                break;
            }
        }
        let entry = fallback.filter(|e| e.rva == rva || !is_text(self.name(e)))?;
        Some(self.symbol(entry, rva - entry.rva))
    }

    /// The symbol of exactly this name. With several: the one by the best kind.
    pub fn named(&self, name: &str) -> Option<Symbol<'_>> {
        let below = |&number: &u32| self.name(&self.entries[number as usize]) < name;
        let start = self.by_name.partition_point(below);
        let same = self.by_name[start..].iter().map(|&number| &self.entries[number as usize]);
        let entry = same.take_while(|e| self.name(e) == name).max_by_key(|e| e.kind)?;
        Some(self.symbol(entry, 0))
    }

    /// All of them, by address.
    pub fn iter(&self) -> impl Iterator<Item = Symbol<'_>> {
        self.entries.iter().map(|entry| self.symbol(entry, 0))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where the section of `rva` starts.
    fn section_of(&self, rva: u32) -> Option<u32> {
        let after = self.sections.partition_point(|&(start, _)| start <= rva);
        let (start, end) = *self.sections.get(after.checked_sub(1)?)?;
        (rva < end).then_some(start)
    }

    fn name(&self, entry: &Entry) -> &str {
        let start = entry.name as usize;
        self.names.get(start..start + usize::from(entry.name_length)).unwrap_or_default()
    }

    fn symbol(&self, entry: &Entry, displacement: u32) -> Symbol<'_> {
        Symbol { name: self.name(entry), rva: entry.rva, displacement, kind: entry.kind }
    }
}

/// Collects symbols for a [`SymbolTable`].
#[derive(Debug, Default)]
pub struct SymbolTableBuilder(SymbolTable);

impl SymbolTableBuilder {
    /// Adds a symbol. Empty names, and names beyond 4 GiB of them, are left out.
    pub fn add(&mut self, kind: SymbolKind, rva: u32, length: u32, name: &[u8]) {
        let text = String::from_utf8_lossy(&name[..name.len().min(MAX_NAME)]);
        let start = u32::try_from(self.0.names.len());
        // Replacement characters may have made it longer.
        let (Ok(start), Ok(name_length)) = (start, u16::try_from(text.len())) else { return };
        if !text.is_empty() {
            self.0.names.push_str(&text);
            self.0.entries.push(Entry { rva, name: start, name_length, kind, length });
        }
    }

    /// Makes room for so many symbols with so many bytes of names.
    pub fn reserve(&mut self, symbols: usize, names: usize) {
        self.0.entries.reserve_exact(symbols);
        self.0.names.reserve_exact(names);
    }

    /// Adds a section: no symbol below its start is told for an address in it,
    /// and none at all for an address in no section.
    pub fn section(&mut self, rva: u32, size: u32) {
        if size > 0 {
            self.0.sections.push((rva, rva.saturating_add(size)));
        }
    }

    /// The table.
    pub fn build(self) -> SymbolTable {
        let mut table = self.0;
        table.names.shrink_to_fit();
        let mut entries = std::mem::take(&mut table.entries);
        entries.sort_unstable_by(|a, b| {
            // The last of equals by kind is taken: the first by name comes last.
            (a.rva, a.kind).cmp(&(b.rva, b.kind)).then_with(|| table.name(b).cmp(table.name(a)))
        });
        entries.shrink_to_fit();
        table.entries = entries;
        let mut by_name: Vec<u32> = (0..table.entries.len() as u32).collect();
        by_name.sort_unstable_by_key(|&number| table.name(&table.entries[number as usize]));
        table.by_name = by_name;
        table.sections.sort_unstable();
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> SymbolTable {
        let mut table = SymbolTable::builder();
        table.section(0x1000, 0x1000);
        table.section(0x3000, 0x1000);
        table.add(SymbolKind::Public, 0x1010, 0, b"Alpha");
        table.add(SymbolKind::Public, 0x1100, 0, b"Gamma");
        table.add(SymbolKind::Public, 0x1100, 0, b"Beta");
        table.add(SymbolKind::Export, 0x1100, 0, b"Aaa");
        table.add(SymbolKind::Procedure, 0x1200, 0x10, b"Short");
        table.add(SymbolKind::Public, 0x3010, 0, b"Data");
        table.build()
    }

    fn at(table: &SymbolTable, rva: u32) -> Option<(&str, u32)> {
        table.at(rva).map(|symbol| (symbol.name, symbol.displacement))
    }

    #[test]
    fn the_nearest_below_is_found_and_public_names_come_before_exports() {
        let table = made();
        assert_eq!(at(&table, 0x1010), Some(("Alpha", 0)));
        assert_eq!(at(&table, 0x10ff), Some(("Alpha", 0xef)));
        assert_eq!(at(&table, 0x1105), Some(("Beta", 5)));
    }

    #[test]
    fn a_symbol_does_not_reach_out_of_its_section() {
        let table = made();
        assert_eq!(at(&table, 0x100f), None);
        assert_eq!(at(&table, 0x3005), None);
        assert_eq!(at(&table, 0x2800), None);
        assert_eq!(at(&table, 0x3fff), Some(("Data", 0xfef)));
    }

    #[test]
    fn what_lies_behind_a_text_is_not_named_after_it() {
        let mut table = SymbolTable::builder();
        table.section(0x1000, 0x1000);
        table.add(SymbolKind::Public, 0x1000, 0, b"Function");
        table.add(SymbolKind::Public, 0x1100, 0, b"??_C@_05PBGNJJPD@hello@");
        let table = table.build();
        assert_eq!(at(&table, 0x1100), Some(("??_C@_05PBGNJJPD@hello@", 0)));
        assert_eq!(at(&table, 0x1110), None);
        assert_eq!(at(&table, 0x10ff), Some(("Function", 0xff)));
    }

    #[test]
    fn a_procedure_does_not_reach_beyond_its_length() {
        let table = made();
        assert_eq!(at(&table, 0x120f), Some(("Short", 0xf)));
        assert_eq!(at(&table, 0x1210), Some(("Beta", 0x110)));
    }

    #[test]
    fn names_are_found_exactly() {
        let table = made();
        assert_eq!(table.named("Gamma").unwrap().rva, 0x1100);
        assert_eq!(table.named("Gamm"), None);
        assert_eq!(table.named("gamma"), None);
        assert_eq!(SymbolTable::default().named("x"), None);
        assert_eq!(SymbolTable::default().at(5), None);
    }
}
