//! An [`OsError`] without the number that `std` puts into its words: it has a field of its own.

use machine::OsError;

pub(crate) fn from_io(doing: impl Into<String>, error: &std::io::Error) -> OsError {
    let mut failed = OsError::from_io(doing, error);
    if let Some(at) = failed.message.rfind(" (os error ") {
        failed.message.truncate(at);
    }
    failed
}

/// A folder's file cannot have this name.
pub(crate) fn bad_name(name: &str, why: &str) -> OsError {
    OsError {
        doing: format!("name a file {name:?}"),
        kind: machine::OsErrorKind::Other,
        code: 0,
        message: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_systems_words_come_without_its_number() {
        let error = std::fs::metadata("/not/there/at/all").unwrap_err();
        let failed = super::from_io("look", &error);
        assert_eq!(failed.code, u32::try_from(error.raw_os_error().unwrap()).unwrap());
        assert_eq!(failed.to_string().matches("error").count(), 1);
    }
}
