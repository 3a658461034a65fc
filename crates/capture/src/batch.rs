//! Batches that fit into the 1 MiB which one triage call can answer with.

use std::collections::VecDeque;

use machine::Thread;

/// What the kernel uses of a buffer at most.
pub(crate) const BUFFER: usize = 0x10_0000;
/// Header, lists, drivers and secondary data of any triage dump, about.
const FIXED: usize = 192 << 10;
/// What each processor adds, about.
const PROCESSOR: usize = 12 << 10;
/// What each thread adds, about: its stack in use, its object, what registers point to.
const THREAD: usize = 32 << 10;
/// A result nearer to the limit than this may have lost threads.
const MARGIN: usize = 64 << 10;

/// Threads still to capture, and how many at a time.
#[derive(Debug)]
pub(crate) struct Batches {
    left: VecDeque<Thread>,
    size: usize,
}

impl Batches {
    pub(crate) fn new(threads: Vec<Thread>, processors: Option<u32>) -> Self {
        let processors = processors.unwrap_or(1) as usize;
        let room =
            BUFFER.saturating_sub(FIXED).saturating_sub(processors.saturating_mul(PROCESSOR));
        Self { left: threads.into(), size: (room / THREAD).max(1) }
    }

    /// How many batches there will be if none is halved.
    pub(crate) fn expected(&self) -> usize {
        self.left.len().div_ceil(self.size)
    }

    pub(crate) fn left(&self) -> usize {
        self.left.len()
    }

    pub(crate) fn next(&mut self) -> Option<Vec<Thread>> {
        let n = self.size.min(self.left.len());
        (n > 0).then(|| self.left.drain(..n).collect())
    }

    /// A result that was too full: its threads come again, half as many at a time. False: it was one thread.
    pub(crate) fn halve(&mut self, batch: &[Thread]) -> bool {
        if batch.len() < 2 {
            return false;
        }
        self.size = (batch.len() / 2).max(1);
        for thread in batch.iter().rev() {
            self.left.push_front(thread.clone());
        }
        true
    }
}

/// So near to the limit that the kernel may have dropped threads without a word.
pub(crate) fn is_suspiciously_full(length: usize) -> bool {
    length + MARGIN > BUFFER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(n: u32) -> Vec<Thread> {
        (0..n)
            .map(|tid| Thread {
                tid,
                pid: 1,
                state: 5,
                wait_reason: 0,
                wait_time_raw: 0,
                kernel_time: 0,
                user_time: 0,
                created: 0,
                start_address: 0,
                priority: 0,
                context_switches: 0,
            })
            .collect()
    }

    #[test]
    fn every_thread_comes_once_and_in_order() {
        let mut batches = Batches::new(threads(100), Some(8));
        assert!(batches.expected() > 1);
        let mut seen = Vec::new();
        while let Some(batch) = batches.next() {
            seen.extend(batch.iter().map(|t| t.tid));
        }
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_halved_batch_comes_again_in_order_and_one_thread_is_not_halved() {
        let mut batches = Batches::new(threads(16), Some(1));
        let batch = batches.next().unwrap();
        assert_eq!(batch.len(), 16);
        assert!(batches.halve(&batch));
        assert_eq!(
            batches.next().unwrap().iter().map(|t| t.tid).collect::<Vec<_>>(),
            (0..8).collect::<Vec<_>>()
        );
        assert!(!batches.halve(&threads(1)));
    }

    #[test]
    fn a_machine_of_two_thousand_processors_still_gets_one_thread_at_a_time() {
        assert_eq!(Batches::new(threads(3), Some(2048)).next().unwrap().len(), 1);
    }
}
