//! Which threads of a process are captured, and in which order: the telling waits first.

use machine::Thread;
use nt::thread::WaitReason;

use crate::threads::{WAITING, waited};
use crate::waiting::WaitScale;
use crate::{Class, Failure, Pick, ThreadCount, TriageOptions};

/// LiveDump's default.
const DEFAULT_COUNT: u32 = 4;

/// Picks threads. `name_of` asks for a thread's name, and is called only when names decide.
pub(crate) fn pick(
    threads: &[Thread],
    options: &TriageOptions,
    scale: WaitScale,
    name_of: impl Fn(u32) -> Option<String>,
) -> Result<Vec<Thread>, Failure> {
    let mut picked = chosen(threads, options, name_of)?;
    order(&mut picked, options.pick, scale);
    let limit = match options.count {
        Some(ThreadCount::All) => usize::MAX,
        Some(ThreadCount::First(n)) => n as usize,
        None if !options.tids.is_empty() || options.thread_name.is_some() => usize::MAX,
        None => DEFAULT_COUNT as usize,
    };
    picked.truncate(limit);
    Ok(picked)
}

fn chosen(
    threads: &[Thread],
    options: &TriageOptions,
    name_of: impl Fn(u32) -> Option<String>,
) -> Result<Vec<Thread>, Failure> {
    let missing: Vec<String> = options
        .tids
        .iter()
        .filter(|tid| !threads.iter().any(|t| t.tid == **tid))
        .map(ToString::to_string)
        .collect();
    if !missing.is_empty() {
        return Err(Failure::new(
            Class::NotFound,
            format!("the process has no thread {}", missing.join(", ")),
        )
        .remedy("`livedump threads -p PID` lists its threads"));
    }
    let by_id = |t: &&Thread| options.tids.is_empty() || options.tids.contains(&t.tid);
    let by_name = |t: &&Thread| {
        options
            .thread_name
            .as_deref()
            .is_none_or(|glob| name_of(t.tid).is_some_and(|name| matches(glob, &name)))
    };
    let picked: Vec<Thread> = threads.iter().filter(by_id).filter(by_name).cloned().collect();
    match (&options.thread_name, picked.is_empty()) {
        (Some(glob), true) => {
            Err(Failure::new(Class::NotFound, format!("no thread has a name like {glob}"))
                .remedy("`livedump threads -p PID` shows the names; many threads have none"))
        }
        _ => Ok(picked),
    }
}

fn order(threads: &mut [Thread], pick: Pick, scale: WaitScale) {
    let waited = |t: &Thread| waited(t, scale).unwrap_or_default();
    match pick {
        Pick::Cpu => {
            threads.sort_by_key(|t| std::cmp::Reverse(t.kernel_time.saturating_add(t.user_time)))
        }
        Pick::LongestWait => threads.sort_by_key(|t| std::cmp::Reverse(waited(t))),
        Pick::Main => {
            let main = threads.iter().min_by_key(|t| (t.created, t.tid)).map(|t| t.tid);
            threads.sort_by_key(|t| (Some(t.tid) != main, rank(t), std::cmp::Reverse(waited(t))));
        }
    }
}

/// 0: waits that tell most; 1: everything else; 2: waits for work, for time, and suspended threads.
fn rank(thread: &Thread) -> u8 {
    use WaitReason as W;
    if thread.state != WAITING {
        return 1;
    }
    match WaitReason::from(thread.wait_reason) {
        W::Executive
        | W::WrExecutive
        | W::WrResource
        | W::WrPushLock
        | W::WrFastMutex
        | W::WrGuardedMutex
        | W::PageIn
        | W::WrPageIn
        | W::WrLpcReply => 0,
        W::WrQueue | W::DelayExecution | W::WrDelayExecution | W::Suspended | W::WrSuspended => 2,
        _ => 1,
    }
}

/// `*` and `?`, any case. Linear in pattern times text: a hostile name cannot make it slow.
fn matches(glob: &str, text: &str) -> bool {
    let lower = |s: &str| s.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (glob, text) = (lower(glob), lower(text));
    let (mut g, mut t, mut star, mut from) = (0, 0, None, 0);
    while t < text.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some(g);
                from = t;
                g += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                g += 1;
                t += 1;
            }
            _ => match star {
                None => return false,
                Some(at) => {
                    from += 1;
                    t = from;
                    g = at + 1;
                }
            },
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Common, ProcessTarget};

    fn thread(tid: u32, state: u32, wait_reason: u32, wait_time_raw: u32, cpu: u64) -> Thread {
        Thread {
            tid,
            pid: 8,
            state,
            wait_reason,
            wait_time_raw,
            kernel_time: cpu,
            user_time: 0,
            created: u64::from(tid),
            start_address: 0,
            priority: 8,
            context_switches: 0,
        }
    }

    fn options(pick: Pick) -> TriageOptions {
        TriageOptions {
            common: Common::default(),
            process: ProcessTarget::Pid(8),
            count: Some(ThreadCount::All),
            tids: Vec::new(),
            thread_name: None,
            pick,
        }
    }

    /// Wait times in ticks; reasons: 27 WrResource, 15 WrQueue, 6 UserRequest, 4 DelayExecution.
    fn threads() -> Vec<Thread> {
        vec![
            thread(12, 5, 15, 9_000, 5),
            thread(10, 5, 4, 1, 1),
            thread(14, 5, 27, 50, 2),
            thread(16, 5, 27, 70, 3),
            thread(18, 5, 6, 8_000, 4),
        ]
    }

    fn tids(options: &TriageOptions) -> Vec<u32> {
        let scale = WaitScale::in_ticks();
        pick(&threads(), options, scale, |t| Some(format!("worker {t}")))
            .unwrap()
            .iter()
            .map(|t| t.tid)
            .collect()
    }

    #[test]
    fn the_main_thread_comes_first_then_telling_waits_and_idle_workers_last() {
        assert_eq!(tids(&options(Pick::Main)), [10, 16, 14, 18, 12]);
    }

    #[test]
    fn longest_wait_and_cpu_order_by_what_they_say() {
        assert_eq!(tids(&options(Pick::LongestWait))[..2], [12, 18]);
        assert_eq!(tids(&options(Pick::Cpu))[..2], [12, 18]);
    }

    #[test]
    fn four_threads_are_picked_when_nothing_is_said() {
        assert_eq!(tids(&TriageOptions { count: None, ..options(Pick::Main) }).len(), 4);
    }

    #[test]
    fn named_ids_and_name_globs_choose_and_a_missing_id_is_said() {
        assert_eq!(
            tids(&TriageOptions { tids: vec![12, 14], count: None, ..options(Pick::Main) }),
            [12, 14]
        );
        assert_eq!(
            tids(&TriageOptions { thread_name: Some("*ER 1?".into()), ..options(Pick::Main) })
                .len(),
            5
        );
        let failure = pick(
            &threads(),
            &TriageOptions { tids: vec![99], ..options(Pick::Main) },
            WaitScale::in_ticks(),
            |_| None,
        )
        .unwrap_err();
        assert_eq!(failure.class, Class::NotFound);
    }

    #[test]
    fn a_glob_with_many_stars_ends() {
        let stars = "*a".repeat(30) + "b";
        assert!(!matches(&stars, &"a".repeat(3000)));
        assert!(matches("*", "") && matches("a*c", "AbbbC") && !matches("a?c", "ac"));
    }
}
