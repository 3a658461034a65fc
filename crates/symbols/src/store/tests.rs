use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::*;

const PDB: &[u8] = include_bytes!("../../tests/fixtures/shapes.pdb");
const IMAGE: &[u8] = include_bytes!("../../tests/fixtures/shapes.sys");
const NAME: &str = "shapes.pdb";

fn identity() -> PdbIdentity {
    Pdb::open(Arc::new(PDB)).unwrap().identity()
}

fn put(root: &Path, names: &[&str], content: &[u8]) -> PathBuf {
    let path = names.iter().fold(root.to_owned(), |path, name| path.join(name));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

fn find(path: &str) -> Lookup<(PathBuf, Pdb)> {
    Store::new(SymbolPath::parse(path)).pdb(NAME, &identity())
}

#[test]
fn a_file_is_found_flat_in_a_store_and_in_a_two_tier_store_in_any_case() {
    let key = identity().key();
    let lower = key.to_lowercase();
    for names in [&[NAME][..], &["Shapes.PDB"], &[NAME, &key, NAME], &["SHAPES.pdb", &lower, NAME]]
    {
        let root = tempfile::tempdir().unwrap();
        let path = put(root.path(), names, PDB);
        assert_eq!(find(root.path().to_str().unwrap()).found.unwrap().0, path);
    }
    let root = tempfile::tempdir().unwrap();
    put(root.path(), &["index2.txt"], b"");
    let path = put(root.path(), &["sh", NAME, &key, NAME], PDB);
    let text = format!("srv*{}", root.path().display());
    assert_eq!(find(&text).found.unwrap().0, path);
}

#[test]
fn a_path_may_name_the_file_itself_and_what_is_not_there_is_said() {
    let root = tempfile::tempdir().unwrap();
    let path = put(root.path(), &["Shapes.pdb"], PDB);
    assert_eq!(find(path.to_str().unwrap()).found.unwrap().0, path);
    let missing = root.path().join("missing");
    let lookup = find(missing.to_str().unwrap());
    assert_eq!(lookup.tried[0].outcome, Outcome::NoSuchPlace);
    let cache = find(&format!("srv*{}", missing.display()));
    assert_eq!(cache.tried[0].outcome, Outcome::NotThere);
}

#[test]
fn an_image_is_found_by_its_stamp_and_size() {
    let root = tempfile::tempdir().unwrap();
    let image = Image::from_file(Arc::new(IMAGE)).unwrap().identity();
    put(root.path(), &["shapes.sys", &image.key(), "shapes.sys"], IMAGE);
    let store = Store::new(SymbolPath::folder(root.path()));
    assert!(store.image("\\SystemRoot\\System32\\drivers\\SHAPES.SYS", &image).found.is_some());
    let other = ImageIdentity { size_of_image: 1, ..image };
    assert_eq!(store.image("shapes.sys", &other).tried[0].outcome, Outcome::NotThere);
}

#[test]
fn places_are_tried_from_left_to_right_and_each_says_why_not() {
    let key = identity().key();
    let roots: Vec<_> = (0..5).map(|_| tempfile::tempdir().unwrap()).collect();
    let at = |number: usize| roots[number].path();
    put(at(0), &[NAME, &key, "shapes.pd_"], b"MSCF");
    put(at(1), &[NAME, &key, "file.ptr"], b"PATH:\\\\server\\share\\shapes.pdb\r\n");
    put(at(2), &[NAME], b"not a PDB at all, but long enough to be looked at as if it were one.");
    put(at(4), &[NAME, &key, NAME], PDB);
    let show = |n: usize| at(n).display().to_string();
    let text = format!("{};cache*{};{};srv*{}*{}", show(0), show(1), show(2), show(3), show(4));
    let lookup = find(&text);
    assert!(lookup.found.is_some());
    let outcomes: Vec<_> = lookup.tried.iter().map(|tried| tried.outcome.clone()).collect();
    assert_eq!(outcomes[0], Outcome::Compressed);
    assert_eq!(outcomes[1], Outcome::Elsewhere("PATH:\\\\server\\share\\shapes.pdb".to_owned()));
    assert!(matches!(outcomes[2], Outcome::Unreadable(_)));
    assert_eq!(outcomes[3..], [Outcome::NotThere, Outcome::NotThere, Outcome::Found]);
}

#[test]
fn a_name_out_of_a_dump_cannot_leave_the_store() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), &["secret"], PDB);
    fs::create_dir(root.path().join("store")).unwrap();
    let store = Store::new(SymbolPath::folder(root.path().join("store")));
    for name in ["..\\secret", "../secret", "..", "C:secret", "nul", "x\0"] {
        let lookup = store.pdb(name, &identity());
        assert!(lookup.found.is_none(), "{name}");
        assert_eq!(lookup.tried.len(), 1, "{name}");
    }
}

// The servers.

/// A server on this computer that answers every request with `answer`, which
/// is given the requested path and the stream.
fn server(answer: impl Fn(&str, &mut TcpStream, u16) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                request.push(byte[0]);
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            answer(path, &mut stream, port);
        }
    });
    port
}

fn head(stream: &mut TcpStream, status: &str, length: usize) {
    let text =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(text.as_bytes());
}

struct Fetched {
    lookup: Lookup<(PathBuf, Pdb)>,
    folder: tempfile::TempDir,
}

impl Fetched {
    /// Whether anything is left in the folder but folders.
    fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, files) } else { files.push(path) }
            }
        }
        let mut files = Vec::new();
        walk(self.folder.path(), &mut files);
        files
    }

    fn last(&self) -> &Outcome {
        &self.lookup.tried.last().unwrap().outcome
    }
}

fn fetch(port: u16) -> Fetched {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("srv*{}*http://127.0.0.1:{port}/symbols/", folder.path().display());
    let download = Download { timeout: Duration::from_secs(2), max_bytes: 1 << 20, folder: None };
    let store = Store::new(SymbolPath::parse(&text)).with_download(download);
    Fetched { lookup: store.pdb(NAME, &identity()), folder }
}

#[test]
fn a_file_is_fetched_once_and_kept() {
    let port = server(|path, stream, _| {
        assert_eq!(path, format!("/symbols/{NAME}/{}/{NAME}", identity().key()));
        head(stream, "200 OK", PDB.len());
        let _ = stream.write_all(PDB);
    });
    let fetched = fetch(port);
    let expected = fetched.folder.path().join(NAME).join(identity().key()).join(NAME);
    assert_eq!(fetched.lookup.found.as_ref().unwrap().0, expected);
    assert_eq!(fetched.files(), [expected]);
    let again = find(&format!("srv*{}", fetched.folder.path().display()));
    assert!(again.found.is_some());
}

#[test]
fn without_being_asked_to_no_server_is_asked() {
    let port = server(|_, _, _| unreachable!("nobody may ask"));
    let lookup = find(&format!("srv*http://127.0.0.1:{port}"));
    assert_eq!(lookup.tried.last().unwrap().outcome, Outcome::NotAsked);
}

#[test]
fn an_answer_that_is_not_the_file_leaves_nothing_behind() {
    let missing = fetch(server(|_, stream, _| head(stream, "404 Not Found", 0)));
    assert_eq!(*missing.last(), Outcome::Status(404));
    let cut = fetch(server(|_, stream, _| {
        head(stream, "200 OK", PDB.len());
        let _ = stream.write_all(&PDB[..1000]);
    }));
    let expected = PDB.len() as u64;
    assert_eq!(*cut.last(), Outcome::CutOff { received: 1000, expected });
    let other = fetch(server(|_, stream, _| {
        head(stream, "200 OK", 5);
        let _ = stream.write_all(b"hello");
    }));
    assert!(matches!(other.last(), Outcome::Unreadable(_)), "{:?}", other.last());
    for fetched in [missing, cut, other] {
        assert!(fetched.lookup.found.is_none());
        assert_eq!(fetched.files(), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_server_that_stalls_is_left_after_the_time_limit() {
    let stalled = fetch(server(|_, stream, _| {
        head(stream, "200 OK", PDB.len());
        let _ = stream.write_all(&PDB[..1000]);
        std::thread::sleep(Duration::from_secs(60));
    }));
    assert_eq!(*stalled.last(), Outcome::TimedOut(2));
    assert_eq!(stalled.files(), Vec::<PathBuf>::new());
}

#[test]
fn a_server_that_sends_more_than_allowed_is_stopped() {
    let announced = fetch(server(|_, stream, _| head(stream, "200 OK", 2 << 20)));
    let endless = fetch(server(|_, stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[7; 4096]).is_ok() {}
    }));
    for fetched in [announced, endless] {
        assert_eq!(*fetched.last(), Outcome::TooLarge(1 << 20));
        assert_eq!(fetched.files(), Vec::<PathBuf>::new());
    }
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let redirect = |stream: &mut TcpStream, to: String| {
        let text = format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let _ = stream.write_all(text.as_bytes());
    };
    let once = fetch(server(move |path, stream, port| {
        if path == "/blob" {
            head(stream, "200 OK", PDB.len());
            let _ = stream.write_all(PDB);
        } else {
            redirect(stream, format!("http://127.0.0.1:{port}/blob"));
        }
    }));
    assert!(once.lookup.found.is_some(), "{:?}", once.lookup.tried);
    let forever = fetch(server(move |path, stream, port| {
        redirect(stream, format!("http://127.0.0.1:{port}{path}x"));
    }));
    assert!(matches!(forever.last(), Outcome::Failed(_)), "{:?}", forever.last());
}

#[test]
fn a_download_without_a_folder_goes_where_the_caller_says_or_nowhere() {
    let port = server(|_, stream, _| {
        head(stream, "200 OK", PDB.len());
        let _ = stream.write_all(PDB);
    });
    let path = SymbolPath::parse(&format!("srv*http://127.0.0.1:{port}"));
    let download = Download::default();
    let lookup = Store::new(path.clone()).with_download(download.clone()).pdb(NAME, &identity());
    assert_eq!(lookup.tried[0].outcome, Outcome::NoFolder);
    let folder = tempfile::tempdir().unwrap();
    let download = Download { folder: Some(folder.path().to_owned()), ..download };
    let lookup = Store::new(path).with_download(download).pdb(NAME, &identity());
    assert!(lookup.found.unwrap().0.starts_with(folder.path()));
    let cache = tempfile::tempdir().unwrap();
    let text = format!("cache*{};srv*http://127.0.0.1:{port}", cache.path().display());
    let store = Store::new(SymbolPath::parse(&text)).with_download(Download::default());
    assert!(store.pdb(NAME, &identity()).found.unwrap().0.starts_with(cache.path()));
    let ftp = Store::new(SymbolPath::parse("cache*.;srv*ftp://127.0.0.1"))
        .with_download(Download::default());
    assert_eq!(ftp.pdb(NAME, &identity()).tried.last().unwrap().outcome, Outcome::NotServed);
}

#[test]
fn a_profile_that_is_here_spares_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let pdb = Pdb::open(Arc::new(PDB)).unwrap();
    let profile = crate::Profile::make(&pdb, NAME, &["_REF"], &[]).unwrap();
    put(folder.path(), &[&profile.file_name()], profile.to_json().unwrap().as_bytes());
    let port = server(|_, stream, _| head(stream, "500 Not wanted", 0));
    let text = format!("srv*{}*http://127.0.0.1:{port}", folder.path().display());
    let store = Store::new(SymbolPath::parse(&text)).with_download(Download::default());
    let lookup = store.kernel(NAME, &identity(), &Wanted::Named(&["_REF"]));
    assert_eq!(lookup.found.unwrap().1.layouts.source(), crate::Origin::Profile);
    let other = PdbIdentity { age: 99, ..identity() };
    let lookup = store.kernel(NAME, &other, &Wanted::Named(&["_REF"]));
    assert_eq!(lookup.tried.last().unwrap().outcome, Outcome::Status(500));
    assert!(lookup.tried.iter().all(|tried| tried.outcome != Outcome::NotAsked));
}
