//! C++ names as people write them.

use msvc_demangler::DemangleFlags;

/// Longer names stay as they are: the demangler recurses once or so a letter.
const MAX_LENGTH: usize = 512;

/// A back-reference copies the type or name it means, and such copies nest: a
/// name with d digits can grow e^(d/e) times.
const MAX_DIGITS: usize = 20;

/// Names up to this length cannot nest deeply enough to need more stack than
/// any thread has left.
const MAX_SHALLOW: usize = 48;
/// Enough for the longest, unoptimised, several times over.
const STACK: usize = 16 << 20;

/// The readable name of a decorated C++ symbol, without its parameters
/// (`?Write@Device@@QEAAJXZ` is `Device::Write`). `None` for names that are
/// not decorated, that cannot be read, or that are too long to be worth it.
pub fn demangle(name: &str) -> Option<String> {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    if !name.starts_with('?') || name.len() > MAX_LENGTH || digits > MAX_DIGITS {
        return None;
    }
    let text = if name.len() > MAX_SHALLOW { with_room(name) } else { demangled(name) }?;
    (!text.is_empty()).then_some(text)
}

fn demangled(name: &str) -> Option<String> {
    let flags = DemangleFlags::llvm() | DemangleFlags::NAME_ONLY;
    crate::pdb::quietly(|| msvc_demangler::demangle(name, flags)).ok()?.ok()
}

/// On a stack of its own: running out of stack ends the process.
fn with_room(name: &str) -> Option<String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(scope, || demangled(name)).ok()?;
        thread.join().ok().flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_told_without_its_parameters() {
        assert_eq!(demangle("?Write@Device@@QEAAJXZ").as_deref(), Some("Device::Write"));
        assert_eq!(demangle("??0FxObject@@QEAA@XZ").as_deref(), Some("FxObject::FxObject"));
        assert_eq!(demangle("NtClose"), None);
        assert_eq!(demangle("?"), None);
    }

    /// A name that is not refused for its digits.
    fn few_digits(text: &str) -> String {
        let mut digits = 0;
        let few = text.chars().filter(|c| {
            digits += usize::from(c.is_ascii_digit());
            !c.is_ascii_digit() || digits <= MAX_DIGITS
        });
        few.collect()
    }

    #[test]
    fn hostile_names_end_on_a_small_stack() {
        let thread = std::thread::Builder::new().stack_size(512 << 10);
        let walk = thread.spawn(|| {
            let pieces = [
                "PA", "P6A", "?$A@V", "V1@", "Q6", "$$A", "??", "?0", "A", "1", "$1?", "P8A@@E",
                "?A", "$$Q", "Y01", "_W",
            ];
            for first in pieces {
                for second in pieces {
                    let body = format!("{first}{second}").repeat(200);
                    for start in ["?x@@3", "?x@@YAX", "?", "??$a@", "??_"] {
                        let text = few_digits(&format!("{start}{body}"));
                        for length in [MAX_SHALLOW, MAX_LENGTH] {
                            let _ = demangle(&text[..text.len().min(length)]);
                        }
                    }
                }
            }
        });
        walk.unwrap().join().unwrap();
    }

    #[test]
    fn references_to_references_do_not_fill_the_memory() {
        let mut name = String::from("?x@@YAXP6AXH@Z");
        for _ in 0..9 {
            name.push_str("P6AX00@Z");
        }
        name.push_str("@Z");
        let _ = demangle(&name);
        assert_eq!(demangle(&format!("?x@@YAX{}@Z", "P6AX0000@Z".repeat(9))), None);
    }
}
