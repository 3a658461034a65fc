//! Loaded modules: the ring that begins at `PsLoadedModuleList`, or the list
//! that a triage dump has of its own.

use format::{Dump, KernelMemory};
use memory::VirtualAddress;
use serde::Serialize;

use symbols::pe::Headers;

use crate::image;
use crate::layout::{Member, ModuleLayout, Source};
use crate::list::{self, ListEnd};
use crate::probe;
use crate::reader::{Reader, at};

/// Modules that are listed at most.
const MOST: usize = 1 << 16;
/// Bytes of names that are kept of all modules together: entries of a hostile
/// file may share one that is as long as a name can be.
const MOST_TEXT: usize = 16 << 20;

/// A loaded module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Module {
    /// DllBase.
    #[serde(serialize_with = "crate::hex")]
    pub base: VirtualAddress,
    /// SizeOfImage in bytes.
    pub size: Option<u32>,
    /// BaseDllName: the file's name without its folder.
    pub name: Option<String>,
    /// FullDllName.
    pub path: Option<String>,
    /// TimeDateStamp: with the size the key of the image in a symbol store.
    pub time_date_stamp: Option<u32>,
    /// CheckSum.
    pub check_sum: Option<u32>,
}

impl Module {
    /// How debuggers name it: without its extension, the kernel as `nt`.
    pub fn stem(&self) -> String {
        let name = self.name.as_deref().unwrap_or("unknown");
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let is_kernel = ["ntoskrnl", "ntkrnlmp", "ntkrnlpa", "ntkrpamp"]
            .iter()
            .any(|kernel| stem.eq_ignore_ascii_case(kernel));
        if is_kernel { "nt".to_owned() } else { stem.to_owned() }
    }

    /// Whether an address lies in it.
    pub fn contains(&self, address: VirtualAddress) -> bool {
        let size = u64::from(self.size.unwrap_or(0));
        address.0.checked_sub(self.base.0).is_some_and(|offset| offset < size)
    }
}

/// Where the modules were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ModulesFrom {
    /// The ring in memory.
    LoadedModuleList,
    /// The triage dump's own list.
    DriverList,
    /// Only the kernel, by its base in the debugger block.
    KernelBase,
    /// Nowhere.
    Nowhere,
}

/// The loaded modules of a dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Modules {
    /// In the order of the list, the kernel first.
    pub modules: Vec<Module>,
    /// Where they were found.
    pub from: ModulesFrom,
    /// Why the ring ended, when it was walked; why no more of the dump's own list was read.
    pub end: Option<ListEnd>,
    /// Entries that the next one does not point back to.
    pub blink_mismatches: u32,
    /// Entries that could not be read in whole.
    pub unreadable: u32,
    /// Where the entries keep what, when the ring was walked.
    #[serde(skip)]
    pub layout: ModuleLayout,
    /// Places in `modules`, by base: several lists of a hostile file may overlap.
    #[serde(skip)]
    by_base: Vec<u32>,
}

/// Modules as they are read, as many as may be kept.
#[derive(Default)]
struct Found {
    modules: Vec<Module>,
    text: usize,
    unreadable: u32,
}

impl Found {
    fn is_full(&self) -> bool {
        self.modules.len() >= MOST || self.text >= MOST_TEXT
    }

    fn add(&mut self, module: Option<Module>) {
        let Some(mut module) = module else {
            self.unreadable += 1;
            return;
        };
        for text in [&mut module.name, &mut module.path].into_iter().flatten() {
            text.shrink_to_fit();
            self.text += text.capacity();
        }
        self.modules.push(module);
    }
}

impl Modules {
    fn new(modules: Vec<Module>, from: ModulesFrom) -> Self {
        let mut by_base: Vec<u32> = (0..modules.len() as u32).collect();
        by_base.sort_by_key(|place| modules.get(*place as usize).map(|module| module.base));
        Self {
            modules,
            from,
            end: None,
            blink_mismatches: 0,
            unreadable: 0,
            layout: ModuleLayout::default(),
            by_base,
        }
    }

    /// The kernel's own image.
    pub fn kernel(&self) -> Option<&Module> {
        self.modules.first()
    }

    /// The module that an address lies in.
    pub fn at(&self, address: VirtualAddress) -> Option<&Module> {
        self.modules.get(self.index_at(address)?)
    }

    /// Its number.
    pub(crate) fn index_at(&self, address: VirtualAddress) -> Option<usize> {
        let of = |place: &u32| self.modules.get(*place as usize);
        let after = self
            .by_base
            .partition_point(|place| of(place).is_some_and(|module| module.base <= address));
        let place = self.by_base.get(after.checked_sub(1)?)?;
        of(place).is_some_and(|module| module.contains(address)).then_some(*place as usize)
    }
}

/// The modules of a dump, as far as it tells them.
pub(crate) fn list(dump: &Dump<'_>, memory: &KernelMemory<'_>, reader: &Reader<'_>) -> Modules {
    if let KernelMemory::Triage(triage) = memory {
        let mut found = Found::default();
        let mut end = None;
        for driver in triage.drivers() {
            if found.is_full() {
                end = Some(ListEnd::TooMany);
                break;
            }
            found.add(driver.ok().map(|driver| Module {
                base: driver.base,
                size: Some(driver.size),
                name: driver.name.as_deref().map(|path| file_name(path).to_owned()),
                path: driver.name,
                time_date_stamp: Some(driver.time_date_stamp),
                check_sum: Some(driver.check_sum),
            }));
        }
        let unreadable = found.unreadable;
        return Modules { unreadable, end, ..Modules::new(found.modules, ModulesFrom::DriverList) };
    }
    let nowhere = || Modules::new(Vec::new(), ModulesFrom::Nowhere);
    let Some(head) = dump.header().ps_loaded_module_list else { return nowhere() };
    let ring = list::walk(reader, head, MOST);
    let Some(layout) = probe::module::find(reader, head, &ring.entries) else {
        return Modules { end: Some(ring.end), ..nowhere() };
    };
    let mut found = Found::default();
    let mut end = ring.end;
    for entry in &ring.entries {
        if found.is_full() {
            end = ListEnd::TooMany;
            break;
        }
        found.add(module(reader, *entry, &layout));
    }
    Modules {
        end: Some(end),
        blink_mismatches: ring.blink_mismatches,
        unreadable: found.unreadable,
        layout,
        ..Modules::new(found.modules, ModulesFrom::LoadedModuleList)
    }
}

/// The kernel alone, where only its base is known.
pub(crate) fn from_base(modules: &mut Modules, reader: &Reader<'_>, base: Option<VirtualAddress>) {
    let Some(base) = base else { return };
    let Some(headers) = image::headers(reader, base) else { return };
    let kernel = Module {
        base,
        size: Some(headers.size_of_image),
        name: None,
        path: None,
        time_date_stamp: Some(headers.time_date_stamp),
        check_sum: None,
    };
    *modules = Modules { end: modules.end, ..Modules::new(vec![kernel], ModulesFrom::KernelBase) };
}

/// The last part of a path as Windows writes it.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

fn module(reader: &Reader<'_>, entry: VirtualAddress, layout: &ModuleLayout) -> Option<Module> {
    let value = |member: Option<Member>| {
        let member = member?;
        reader.integer(at(entry, member.offset), member.size as usize).ok()
    };
    let text = |member: Option<Member>| {
        let text = reader.unicode_string(at(entry, member?.offset)).ok()?;
        Some(text).filter(|text| !text.is_empty())
    };
    let base = VirtualAddress(value(layout.base)?);
    let path = text(layout.full_name);
    let name =
        text(layout.base_name).or_else(|| path.as_deref().map(|path| file_name(path).to_owned()));
    let headers = || image::headers(reader, base);
    let (size, stamp) = (value(layout.image_size), value(layout.time_date_stamp));
    // Where the entry's member is not known, the image itself tells, if it is in the dump.
    let headers = if size.is_none() || stamp.is_none() { headers() } else { None };
    let of = |get: fn(&Headers) -> u32| headers.as_ref().map(get);
    Some(Module {
        base,
        size: size.map(|size| size as u32).or_else(|| of(|headers| headers.size_of_image)),
        name,
        path,
        time_date_stamp: stamp
            .map(|stamp| stamp as u32)
            .or_else(|| of(|headers| headers.time_date_stamp)),
        check_sum: value(layout.check_sum).map(|sum| sum as u32),
    })
}

/// Members that a module's entry keeps next to each other are found together.
pub(crate) const fn probed(offset: u64, size: u64) -> Option<Member> {
    Some(Member::new(offset, size, Source::Probed))
}
