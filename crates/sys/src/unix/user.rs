//! Who we are, and who else may read a dump.

use machine::{OsError, OsErrorKind, Reader};

/// Samba's documented authority for Unix users: the nearest thing to a SID that a uid has.
const UNIX_USERS: &str = "S-1-22-1";

/// Our account's name.
pub(super) fn name() -> String {
    let uid = rustix::process::getuid().as_raw();
    let listed = std::fs::read_to_string("/etc/passwd").ok();
    listed
        .and_then(|passwd| name_of(&passwd, uid))
        .or_else(|| std::env::var("USER").ok().filter(|name| !name.is_empty()))
        .unwrap_or_else(|| format!("uid {uid}"))
}

fn name_of(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// Our own pseudo-SID.
pub(super) fn sid() -> String {
    format!("{UNIX_USERS}-{}", rustix::process::getuid().as_raw())
}

/// "me" is always a reader here, being the owner; nobody else can become one.
pub(super) fn reader(who: &str) -> Result<Reader, OsError> {
    let sid = sid();
    if who.eq_ignore_ascii_case("me") || who.eq_ignore_ascii_case(&sid) {
        return Ok(Reader { sid, account: Some(name()) });
    }
    Err(OsError {
        doing: format!("let {who} read the file"),
        kind: OsErrorKind::Unsupported,
        code: 0,
        message:
            "this system knows no SIDs; the file belongs to you alone, \"me\" is the only reader"
                .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accounts_name_is_found_by_its_uid() {
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(name_of(passwd, 1000).as_deref(), Some("ann"));
        assert_eq!(name_of(passwd, 7), None);
    }

    #[test]
    fn only_the_owner_can_be_a_reader_where_there_are_no_sids() {
        assert_eq!(reader("ME").unwrap().sid, sid());
        assert_eq!(reader(&sid()).unwrap().sid, sid());
        assert_eq!(reader("S-1-5-32-544").unwrap_err().kind, OsErrorKind::Unsupported);
    }
}
