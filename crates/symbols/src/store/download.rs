//! Fetching a file from a symbol server.

use super::search::Accept;
use super::{Download, Outcome};

/// The address of a file: `SERVER/NAME/KEY/NAME`, as SymSrv asks.
pub(super) fn address(server: &str, name: &str, key: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{server}/{encoded}/{key}/{encoded}")
}

/// Without the feature there is no network.
#[cfg(not(feature = "download"))]
pub(super) fn fetch<T>(
    _: &Download,
    _: &str,
    _: &std::path::Path,
    _: (&str, &str),
    _: &Accept<'_, T>,
) -> Result<T, Outcome> {
    Err(Outcome::Failed("built without downloads".to_owned()))
}

#[cfg(feature = "download")]
pub(super) use enabled::fetch;

#[cfg(feature = "download")]
mod enabled {
    use std::fs::{self, File, OpenOptions};
    use std::io::{self, Read, Write};
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU64, Ordering};

    use ureq::Agent;

    use super::{Accept, Download, Outcome, address};

    /// Microsoft's server redirects once, to where the file is stored.
    const MAX_REDIRECTS: u32 = 5;

    /// Fetches a file into `folder`: under another name first, and under its
    /// own only when it is whole and the one that was asked for.
    pub(in super::super) fn fetch<T>(
        download: &Download,
        server: &str,
        folder: &Path,
        (name, key): (&str, &str),
        accept: &Accept<'_, T>,
    ) -> Result<T, Outcome> {
        let scheme = server.split("://").next().unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(Outcome::NotServed);
        }
        let body = request(download, &address(server, name, key))?;
        fs::create_dir_all(folder).map_err(failed)?;
        let partial = Partial::create(folder, name)?;
        receive(download, body, &partial.file)?;
        accept(&partial.path)?;
        let target = folder.join(name);
        partial.rename(&target)?;
        accept(&target)
    }

    struct Answer {
        expected: Option<u64>,
        reader: Box<dyn Read>,
    }

    fn request(download: &Download, address: &str) -> Result<Answer, Outcome> {
        let config = Agent::config_builder()
            .timeout_global(Some(download.timeout))
            .max_redirects(MAX_REDIRECTS)
            .http_status_as_error(false)
            .user_agent(concat!("livedump/", env!("CARGO_PKG_VERSION")))
            .build();
        let answer = Agent::new_with_config(config).get(address).call();
        let answer = answer.map_err(|error| network(download, error))?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(Outcome::Status(status));
        }
        let length = answer.headers().get("content-length");
        let expected = length.and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
        if expected.is_some_and(|expected| expected > download.max_bytes) {
            return Err(Outcome::TooLarge(download.max_bytes));
        }
        Ok(Answer { expected, reader: Box::new(answer.into_body().into_reader()) })
    }

    fn receive(download: &Download, mut answer: Answer, mut file: &File) -> Result<(), Outcome> {
        let mut buffer = vec![0; 1 << 16];
        let mut received = 0_u64;
        let cut_off = |received| answer.expected.filter(|&expected| received < expected);
        loop {
            let read = match answer.reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let outcome = network(download, ureq::Error::from(error));
                    // An early end is an error of the protocol: it is told in bytes.
                    let early =
                        cut_off(received).filter(|_| !matches!(outcome, Outcome::TimedOut(_)));
                    return Err(
                        early.map_or(outcome, |expected| Outcome::CutOff { received, expected })
                    );
                }
            };
            received += read as u64;
            if received > download.max_bytes {
                return Err(Outcome::TooLarge(download.max_bytes));
            }
            file.write_all(&buffer[..read]).map_err(failed)?;
        }
        match cut_off(received) {
            Some(expected) => Err(Outcome::CutOff { received, expected }),
            None => file.sync_all().map_err(failed),
        }
    }

    fn network(download: &Download, error: ureq::Error) -> Outcome {
        match error {
            ureq::Error::Timeout(_) => Outcome::TimedOut(download.timeout.as_secs()),
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                Outcome::TimedOut(download.timeout.as_secs())
            }
            other => Outcome::Failed(other.to_string()),
        }
    }

    fn failed(error: io::Error) -> Outcome {
        Outcome::Failed(error.to_string())
    }

    /// A file that goes away unless it is renamed.
    struct Partial {
        path: PathBuf,
        file: File,
    }

    impl Partial {
        fn create(folder: &Path, name: &str) -> Result<Self, Outcome> {
            static NEXT: AtomicU64 = AtomicU64::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{name}.{}-{number}.partial", std::process::id()));
            let file =
                OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
            Ok(Self { path, file })
        }

        fn rename(self, target: &Path) -> Result<(), Outcome> {
            fs::rename(&self.path, target).map_err(failed)
        }
    }

    impl Drop for Partial {
        fn drop(&mut self) {
            // After the rename there is nothing of this name.
            let _ = fs::remove_file(&self.path);
        }
    }
}
