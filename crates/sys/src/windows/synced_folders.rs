//! Where cloud clients say, on Windows, that their folders are.

use std::path::PathBuf;

use machine::SyncedFolder;

use super::registry::{self, Root};
use crate::synced;

const ONEDRIVE: &str = r"Software\SyncEngines\Providers\OneDrive";
/// Every client that uses the cloud files API registers its roots here.
const SYNC_ROOTS: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\SyncRootManager";

pub(super) fn folders() -> Vec<SyncedFolder> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let info: Vec<_> = ["APPDATA", "LOCALAPPDATA"]
        .into_iter()
        .filter_map(|name| Some(variable(name)?.join("Dropbox").join("info.json")))
        .collect();
    let profile = variable("USERPROFILE").unwrap_or_default();
    let mut found = synced::under(&profile, &info);
    for engine in registry::subkeys(Root::User, ONEDRIVE) {
        add(&mut found, "OneDrive", Root::User, &format!(r"{ONEDRIVE}\{engine}"), "MountPoint");
    }
    for provider in registry::subkeys(Root::Machine, SYNC_ROOTS) {
        let users = format!(r"{SYNC_ROOTS}\{provider}\UserSyncRoots");
        let name = provider.split('!').next().unwrap_or(&provider);
        // One value for each user, named by the SID; ours is the one that matters.
        if let Ok(sid) = super::token::user_sid() {
            add(&mut found, name, Root::Machine, &users, &sid);
        }
    }
    found
}

fn add(found: &mut Vec<SyncedFolder>, provider: &str, root: Root, key: &str, value: &str) {
    if let Ok(Some(path)) = registry::string(root, key, value)
        && !path.is_empty()
    {
        synced::add(found, provider, path.into());
    }
}
