//! What a file shall be.

use super::blobs::{self, Blob};
use super::containers;
use super::content::Page;
use super::dump::DumpFile;
use super::hazard::Hazard;
use super::kind::{Kind, Machine};
use super::system::{BUILD, System};
use super::triage;

/// A file to be made. The same specification makes the same bytes.
#[derive(Debug, Clone)]
pub struct FileSpec {
    pub(crate) kind: Kind,
    pub(crate) machine: Machine,
    pub(crate) processors: u32,
    pub(crate) code: u32,
    pub(crate) parameters: [u64; 4],
    pub(crate) hazards: Vec<Hazard>,
    system: bool,
    told: Vec<(u64, u64, Page)>,
    blobs: Option<Vec<Blob>>,
}

impl FileSpec {
    /// A file of a small kernel: its pages, or its blocks, and nothing else.
    ///
    /// The kernel's pages lie below page frame 0x1401; [`Machine::Arm32`] and
    /// [`Machine::Ia64`] have none.
    pub fn new(kind: Kind, machine: Machine) -> Self {
        let live = kind == Kind::BitmapKernel;
        Self {
            kind,
            machine,
            processors: 1,
            code: if live { 0x161 } else { 0xD1 },
            parameters: if live { [1, 2, 3, 4] } else { [0xD2, 0xD3, 0xD4, 0xD5] },
            hazards: Vec::new(),
            system: machine.has_system(),
            told: Vec::new(),
            blobs: None,
        }
    }

    /// Without the kernel: what [`FileSpec::pages`] names is all there is.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.system = false;
        self
    }

    /// Adds `count` pages from page frame `first` on. The kernel's own pages
    /// stand before these; where two calls overlap, the lower start wins.
    ///
    /// A type 1 file holds the first 42 runs (86 with a 32-bit header); types
    /// 8 to 0xA leave page frame 0 out.
    #[must_use]
    pub fn pages(mut self, first: u64, count: u64, page: Page) -> Self {
        self.told.push((first, count, page));
        self
    }

    /// Gives the file a hazard.
    #[must_use]
    pub fn with(mut self, hazard: Hazard) -> Self {
        self.hazards.push(hazard);
        self
    }

    /// The header's code and its parameters.
    #[must_use]
    pub fn bugcheck(mut self, code: u32, parameters: [u64; 4]) -> Self {
        (self.code, self.parameters) = (code, parameters);
        self
    }

    /// The header's NumberProcessors; the lists still have one.
    #[must_use]
    pub fn processors(mut self, count: u32) -> Self {
        self.processors = count;
        self
    }

    /// Secondary data in place of the usual, for any kind; none for an empty list.
    #[must_use]
    pub fn blobs(mut self, blobs: Vec<Blob>) -> Self {
        self.blobs = Some(blobs);
        self
    }

    /// Lays the file out. Pages are made when it is written.
    pub fn build(&self) -> DumpFile {
        let mut system = self.system.then(|| System::new(self));
        if self.kind.is_triage() {
            return triage::build(self, system.as_ref());
        }
        let mut memory = match &mut system {
            Some(system) => std::mem::take(&mut system.space.memory),
            None => Default::default(),
        };
        for (first, count, page) in &self.told {
            memory.tell(*first, *count, page.clone());
        }
        memory.settle();
        containers::build(self, system.as_ref(), memory)
    }

    pub(crate) fn has(&self, hazard: Hazard) -> bool {
        self.hazards.contains(&hazard)
    }

    /// By how much the stored count of pages is off.
    pub(crate) fn count(&self, pages: u64) -> u64 {
        let off = self.hazards.iter().find_map(|hazard| match hazard {
            Hazard::WrongPageCount(by) => Some(*by),
            _ => None,
        });
        pages.wrapping_add_signed(off.unwrap_or(0))
    }

    pub(crate) fn bitmap_bits(&self) -> Option<u64> {
        self.hazards.iter().find_map(|hazard| match hazard {
            Hazard::BitmapBits(bits) => Some(*bits),
            _ => None,
        })
    }

    pub(crate) fn slack(&self) -> u64 {
        let slack = self.hazards.iter().map(|hazard| match hazard {
            Hazard::SlackTail(bytes) => *bytes,
            _ => 0,
        });
        slack.sum()
    }

    pub(crate) fn secondary(&self) -> Vec<Blob> {
        match &self.blobs {
            Some(blobs) => blobs.clone(),
            None if self.kind.has_blobs() => blobs::usual(self.kind, self.machine, BUILD),
            None => Vec::new(),
        }
    }
}
