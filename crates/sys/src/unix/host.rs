//! [`Host`] on an OS that is not Windows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use machine::{
    EventRecord, Host, Interrupts, OsError, OsErrorKind, PathFacts, Reader, SyncedFolder, Target,
    TargetError, TargetOptions, VolumeFacts, Wake,
};

use super::{local_time, path, signals, target, user, volume};
use crate::synced;

pub(super) struct UnixHost;

fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
}

fn no_event_log() -> OsError {
    OsError {
        doing: "write to the event log".into(),
        kind: OsErrorKind::Unsupported,
        code: 0,
        message: "only Windows has one".into(),
    }
}

impl Host for UnixHost {
    fn computer(&self) -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }

    fn wall_time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn utc_offset(&self) -> i32 {
        local_time::utc_offset()
    }

    fn current_folder(&self) -> Result<PathBuf, OsError> {
        std::env::current_dir().map_err(|error| OsError::from_io("find the current folder", &error))
    }

    fn system_folder(&self) -> Option<PathBuf> {
        None
    }

    fn fallback_folder(&self) -> PathBuf {
        home().unwrap_or_else(std::env::temp_dir)
    }

    fn path_facts(&self, path: &Path) -> PathFacts {
        path::facts(path)
    }

    fn resolved(&self, folder: &Path) -> PathBuf {
        folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf())
    }

    fn same_file(&self, one: &Path, other: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let identity = |path: &Path| path.metadata().ok().map(|it| (it.dev(), it.ino()));
        identity(one).is_some_and(|one| identity(other) == Some(one))
    }

    fn synced_folders(&self) -> Vec<SyncedFolder> {
        home()
            .map(|home| synced::under(&home, &[home.join(".dropbox/info.json")]))
            .unwrap_or_default()
    }

    fn volume(&self, folder: &Path) -> Result<VolumeFacts, OsError> {
        volume::facts(folder)
    }

    fn create_target(&self, options: &TargetOptions) -> Result<Box<dyn Target>, TargetError> {
        Ok(Box::new(target::UnixTarget::create(options)?))
    }

    fn file_length(&self, path: &Path) -> Option<u64> {
        std::fs::metadata(path).ok().map(|metadata| metadata.len())
    }

    fn delete_later(&self, path: &Path) -> Result<(), OsError> {
        std::fs::remove_file(path)
            .map_err(|error| OsError::from_io(format!("delete {}", path.display()), &error))
    }

    fn interrupts(&self, wake: Arc<Wake>) -> Result<Arc<dyn Interrupts>, OsError> {
        signals::listen(wake)
    }

    fn reader(&self, who: &str) -> Result<Reader, OsError> {
        user::reader(who)
    }

    fn user(&self) -> Option<String> {
        Some(user::name())
    }

    fn write_event(&self, _record: &EventRecord) -> Result<(), OsError> {
        Err(no_event_log())
    }

    fn register_event_source(&self, _register: bool) -> Result<(), OsError> {
        Err(no_event_log())
    }
}
