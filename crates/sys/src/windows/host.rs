//! [`Host`] on Windows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use machine::{
    EventRecord, Host, Interrupts, OsError, PathFacts, Reader, SyncedFolder, Target, TargetError,
    TargetOptions, VolumeFacts, Wake,
};
use windows_sys::Win32::System::SystemInformation::GetSystemWindowsDirectoryW;
use windows_sys::Win32::System::WindowsProgramming::GetComputerNameW;

use super::wide::{os_text, text};
use super::{
    console, error, event_log, file, path, sid, synced_folders, target, time, token, volume,
};

pub(super) struct WindowsHost;

/// The computer's NetBIOS name.
pub(super) fn computer() -> Option<String> {
    let mut name = [0_u16; 64];
    let mut size = 64;
    // SAFETY: the buffer has the length that is told.
    let done = unsafe { GetComputerNameW(name.as_mut_ptr(), &raw mut size) };
    (done != 0).then(|| text(&name))
}

fn delete_later(path: &Path) -> Result<(), OsError> {
    let doing = || format!("delete {}", path.display());
    let handle = file::open_to_delete(path).map_err(|failed| {
        error::win32(doing(), failed.raw_os_error().map_or(0, i32::cast_unsigned))
    })?;
    file::delete(&handle).map_err(|status| error::status(doing(), status))
}

impl Host for WindowsHost {
    fn computer(&self) -> String {
        computer().unwrap_or_else(|| "windows".into())
    }

    fn wall_time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn utc_offset(&self) -> i32 {
        time::utc_offset()
    }

    fn current_folder(&self) -> Result<PathBuf, OsError> {
        std::env::current_dir()
            .map_err(|failed| ::machine::OsError::from_io("find the current folder", &failed))
    }

    fn system_folder(&self) -> Option<PathBuf> {
        let mut folder = [0_u16; 300];
        // SAFETY: the buffer has the length that is told.
        let length = unsafe { GetSystemWindowsDirectoryW(folder.as_mut_ptr(), 300) };
        (1..300).contains(&length).then(|| os_text(&folder).into())
    }

    fn fallback_folder(&self) -> PathBuf {
        let profile = std::env::var_os("USERPROFILE").filter(|profile| !profile.is_empty());
        profile.map_or_else(std::env::temp_dir, PathBuf::from)
    }

    fn path_facts(&self, path: &Path) -> PathFacts {
        path::facts(path)
    }

    fn resolved(&self, folder: &Path) -> PathBuf {
        folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf())
    }

    fn same_file(&self, one: &Path, other: &Path) -> bool {
        // Both stay open meanwhile: a number is free for another file once its file is gone.
        let open = |path| file::open_to_ask(path).ok();
        let Some((one, other)) = open(one).zip(open(other)) else { return false };
        file::identity(&one).is_some_and(|one| file::identity(&other) == Some(one))
    }

    fn synced_folders(&self) -> Vec<SyncedFolder> {
        synced_folders::folders()
    }

    fn volume(&self, folder: &Path) -> Result<VolumeFacts, OsError> {
        volume::facts(folder)
    }

    fn create_target(&self, options: &TargetOptions) -> Result<Box<dyn Target>, TargetError> {
        Ok(Box::new(target::WindowsTarget::create(options)?))
    }

    fn file_length(&self, path: &Path) -> Option<u64> {
        // A folder's entry is stale while the file is open elsewhere: a handle tells the truth.
        file::open_to_ask(path).ok()?.metadata().ok().map(|metadata| metadata.len())
    }

    fn delete_later(&self, path: &Path) -> Result<(), OsError> {
        delete_later(path)
    }

    fn interrupts(&self, wake: Arc<Wake>) -> Result<Arc<dyn Interrupts>, OsError> {
        console::listen(wake)
    }

    fn reader(&self, who: &str) -> Result<Reader, OsError> {
        sid::reader(who)
    }

    fn user(&self) -> Option<String> {
        let sid = token::user_sid().ok()?;
        sid::account(&sid).ok().flatten().or(Some(sid))
    }

    fn write_event(&self, record: &EventRecord) -> Result<(), OsError> {
        event_log::write(record)
    }

    fn register_event_source(&self, register: bool) -> Result<(), OsError> {
        event_log::register(register)
    }
}
