//! What a made file really holds.

/// All that is known of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    /// As in the header, without flags.
    pub directory_table_base: u64,
    /// Where the kernel's image starts.
    pub kernel_base: u64,
    /// Address of the debugger block.
    pub debugger_block: u64,
    /// Virtual addresses, and what a right reader finds there.
    pub known: Vec<Known>,
    /// Stored pages, in the order of the file.
    pub stored: Vec<Stored>,
    /// Blocks of a triage file, in the order of its table.
    pub blocks: Vec<Block>,
    /// Secondary data.
    pub blobs: Vec<BlobPlace>,
    /// Loaded drivers of a triage file, as its strings name them.
    pub drivers: Vec<String>,
    /// Unloaded drivers of a triage file, as cut to 12 characters.
    pub unloaded: Vec<String>,
    /// TopOfStack and the call stack's bytes, of a triage file.
    pub call_stack: Option<(u64, Vec<u8>)>,
}

/// A virtual address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// For humans.
    pub name: &'static str,
    /// In 32-bit dumps not sign-extended.
    pub virtual_address: u64,
    /// How it is mapped.
    pub way: Way,
    /// What is there.
    pub answer: Answer,
}

/// How an address is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By entries that the processor itself follows.
    Tables,
    /// The last entry is a transition entry.
    Transition,
    /// The same, with its frame swizzled against L1TF.
    SwizzledTransition,
    /// The last entry leads to a prototype entry.
    Prototype,
    /// A block of a triage file.
    Block,
}

/// What is at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// These bytes, which may cross pages of any size.
    Bytes {
        /// Where the first byte is; `None` in triage files.
        physical: Option<u64>,
        /// All that is known to be there.
        bytes: Vec<u8>,
    },
    /// It translates, to a page that the file lacks.
    PageNotInFile {
        /// The physical address.
        physical: u64,
    },
    /// A page table is not in the file.
    TableNotInFile {
        /// The lowest address bit that selects an entry of the missing table.
        shift: u32,
        /// Its page frame.
        frame: u64,
    },
    /// No entry.
    NotMapped {
        /// The lowest address bit that selects the empty entry: 12 in the last level.
        shift: u32,
    },
}

/// Consecutive page frames in consecutive pages of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// First page frame.
    pub first: u64,
    /// Pages.
    pub count: u64,
    /// File offset of the first page.
    pub offset: u64,
    /// A second copy, with every bit turned: readers must not take it.
    pub repeated: bool,
}

/// A block of a triage file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// As in the table: sign-extended in 32-bit dumps.
    pub address: u64,
    /// File offset.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
}

/// A blob of the secondary data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobPlace {
    /// As stored.
    pub tag: [u8; 16],
    /// File offset of the data.
    pub offset: u64,
    /// Bytes of the data.
    pub size: u32,
}
