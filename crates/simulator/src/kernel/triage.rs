//! Class 29, SysDbgGetTriageDump: section 1.8 of the interface specification.

use std::time::Duration;

use super::{Answer, Kernel, Objects, RawCall};
use crate::bytes::{get32, get64};
use crate::dump::{Bugcheck, ThreadCapture, TriageFile};
use crate::image::Image;
use crate::scenario::Fault;
use crate::status;

const INPUT_SIZE: usize = 56;
const LEAST_OUTPUT: u32 = 0x4_0000;
const MOST_OUTPUT: u32 = 0x10_0000;
const THREAD_ALL_ACCESS: u32 = 0x1F_FFFF;
const TOLERATED_FLAGS: u32 = 1;
/// How long a thread may take to run the capture's call.
const ANSWER_TIME: Duration = Duration::from_secs(5);

impl Kernel {
    pub(super) fn triage_dump(&self, call: RawCall<'_>, objects: &dyn Objects) -> Answer {
        match self.snap(&call, objects) {
            Err(status) => Answer::failed(status),
            Ok(dump) => match call.output.and_then(|output| output.get_mut(..dump.len())) {
                None => Answer::failed(status::ACCESS_VIOLATION),
                Some(output) => {
                    output.copy_from_slice(&dump);
                    Answer { status: status::SUCCESS, length: dump.len() as u32 }
                }
            },
        }
    }

    fn snap(&self, call: &RawCall<'_>, objects: &dyn Objects) -> Result<Vec<u8>, u32> {
        if call.input.len() != INPUT_SIZE || call.output_length < LEAST_OUTPUT {
            return Err(status::INFO_LENGTH_MISMATCH);
        }
        let (flags, processes, threads) =
            (get32(call.input, 0), get32(call.input, 40), get32(call.input, 44));
        if flags & !TOLERATED_FLAGS != 0 || processes != 0 || threads == 0 {
            return Err(status::INVALID_PARAMETER);
        }
        if self.scenario.has(Fault::UnknownStatus) {
            return Err(status::UNHEARD_OF);
        }
        let handles = handles(get64(call.input, 48), threads, objects)?;
        let image = self.image();
        let threads = usable(&image, &handles, objects);
        let owner = threads.first().ok_or(status::ACCESS_DENIED)?.0;
        let limit = call.output_length.min(MOST_OUTPUT) as usize;
        let mut file = TriageFile::new(&image, owner, limit);
        if file.overflows() {
            return Err(status::UNSUCCESSFUL);
        }
        self.snap_threads(&image, &mut file, &threads);
        let bugcheck = Bugcheck {
            code: get32(call.input, 4),
            parameters: [8, 16, 24, 32].map(|at| get64(call.input, at)),
        };
        Ok(file.bytes(bugcheck, self.ticks(), &self.scenario.text))
    }

    fn snap_threads(&self, image: &Image, file: &mut TriageFile<'_>, threads: &[(usize, usize)]) {
        for (_, thread) in threads {
            let stuck = image.population.threads[*thread].stuck;
            if stuck {
                self.wait(ANSWER_TIME);
            }
            let capture = if stuck { ThreadCapture::ObjectOnly } else { ThreadCapture::Answered };
            if !file.add_thread(*thread, capture) {
                return;
            }
        }
    }
}

fn handles(pointer: u64, count: u32, objects: &dyn Objects) -> Result<Vec<u64>, u32> {
    let bytes = objects.read_memory(pointer, count as usize * 8)?;
    Ok(bytes.chunks_exact(8).map(|handle| get64(handle, 0)).collect())
}

/// Numbers of process and thread; handles that fail are skipped.
fn usable(image: &Image, handles: &[u64], objects: &dyn Objects) -> Vec<(usize, usize)> {
    handles
        .iter()
        .filter_map(|handle| objects.thread(*handle).ok())
        .filter(|object| object.granted & THREAD_ALL_ACCESS == THREAD_ALL_ACCESS)
        .filter_map(|object| {
            let (thread, model) = image.population.thread(object.tid)?;
            let process = image.population.process_number(model.pid)?;
            Some((process, thread))
        })
        .collect()
}
