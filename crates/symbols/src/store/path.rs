//! The syntax of `_NT_SYMBOL_PATH`.

use std::fmt;
use std::path::PathBuf;

/// A symbol path, taken apart.
///
/// Microsoft, "Symbol path for Windows debuggers": elements are divided by
/// `;`. `srv*A*B*C` and `symsrv*symsrv.dll*A*B*C` are chains of stores, of
/// which the left keep what the right have; `cache*A` keeps what every element
/// to its right has; anything else is a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SymbolPath {
    /// Its elements, in order.
    pub elements: Vec<Element>,
}

/// An element of a symbol path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// A plain folder.
    Folder(PathBuf),
    /// A chain of stores, the nearest first.
    Chain(Vec<Place>),
    /// A folder that keeps what the elements to its right have.
    Cache(PathBuf),
}

/// A store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// The address of a server.
    Server(String),
}

impl SymbolPath {
    /// Takes a path apart. Every text is one; empty elements, and stores
    /// without a name (which means the debugger's own folder), are left out.
    pub fn parse(text: &str) -> Self {
        Self {
            elements: text.split(';').filter_map(|element| parse_element(element.trim())).collect(),
        }
    }

    /// A path of one folder.
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        Self { elements: vec![Element::Folder(folder.into())] }
    }

    /// Another path behind this one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.elements.extend(other.elements);
        self
    }

    /// Whether it names a server.
    pub fn has_server(&self) -> bool {
        let server = |place: &Place| matches!(place, Place::Server(_));
        self.elements
            .iter()
            .any(|e| matches!(e, Element::Chain(places) if places.iter().any(server)))
    }
}

fn parse_element(text: &str) -> Option<Element> {
    let mut parts = text.split('*');
    let first = parts.next()?;
    let kind = first.to_ascii_lowercase();
    if !text.contains('*') {
        return (!text.is_empty()).then(|| match place(text) {
            Place::Folder(folder) => Element::Folder(folder),
            // Debuggers take a bare address for a server.
            server => Element::Chain(vec![server]),
        });
    }
    match kind.as_str() {
        "cache" => parts.find(|part| !part.is_empty()).map(|folder| Element::Cache(folder.into())),
        "srv" | "symsrv" => {
            if kind == "symsrv" {
                let _library = parts.next();
            }
            let places: Vec<Place> = parts.filter(|part| !part.is_empty()).map(place).collect();
            (!places.is_empty()).then_some(Element::Chain(places))
        }
        _ => Some(Element::Folder(text.into())),
    }
}

fn place(text: &str) -> Place {
    let text = text.trim();
    if text.contains("://") {
        Place::Server(text.trim_end_matches('/').to_owned())
    } else {
        Place::Folder(text.into())
    }
}

impl fmt::Display for SymbolPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, element) in self.elements.iter().enumerate() {
            f.write_str(if number > 0 { ";" } else { "" })?;
            match element {
                Element::Folder(folder) => write!(f, "{}", folder.display())?,
                Element::Cache(folder) => write!(f, "cache*{}", folder.display())?,
                Element::Chain(places) => {
                    f.write_str("srv")?;
                    for place in places {
                        match place {
                            Place::Folder(folder) => write!(f, "*{}", folder.display())?,
                            Place::Server(address) => write!(f, "*{address}")?,
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_documentation_is_understood() {
        let text = "cache*c:\\sym;SRV*d:\\near*\\\\far\\store*https://example.org/sym/;e:\\plain; ;symsrv*symsrv.dll*f:\\g";
        let path = SymbolPath::parse(text);
        let folder = |text: &str| Place::Folder(text.into());
        assert_eq!(
            path.elements,
            [
                Element::Cache("c:\\sym".into()),
                Element::Chain(vec![
                    folder("d:\\near"),
                    folder("\\\\far\\store"),
                    Place::Server("https://example.org/sym".into())
                ]),
                Element::Folder("e:\\plain".into()),
                Element::Chain(vec![folder("f:\\g")]),
            ]
        );
        assert!(path.has_server());
        assert_eq!(SymbolPath::parse(&path.to_string()), path);
    }

    #[test]
    fn what_names_nothing_is_nothing() {
        for text in ["", ";;", "srv*", "srv**", "cache*", "symsrv*symsrv.dll*"] {
            assert_eq!(SymbolPath::parse(text), SymbolPath::default(), "{text}");
        }
    }
}
