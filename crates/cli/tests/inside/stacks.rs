//! Stacks, frame by frame.

use serde_json::Value;

use super::{Case, each, text};

/// Labels inside a function that have a public symbol of their own.
const LABELS: &[(&str, &str)] = &[("KiSystemCall64", "KiSystemServiceCopyEnd")];

impl Case {
    /// The stack of every thread, and why it ends.
    pub(crate) fn compare_stacks(&self, stacks: &Value) -> Vec<String> {
        let threads = self.threads();
        let mut faults = Vec::new();
        let mut seen = 0;
        for stack in each(&stacks["stacks"]) {
            let Some(truth) = threads.get(text(&stack["thread"]["address"])) else {
                faults.push(format!("a stack of no thread: {}", stack["thread"]));
                continue;
            };
            seen += 1;
            if let Err(why) = self.compare_stack(stack, truth) {
                let frames = each(&stack["frames"]).map(frame_text).collect::<Vec<_>>();
                let truth = each(&truth["stack"]).map(|one| {
                    format!("{} {} {}", text(&one["pc"]), text(&one["sp"]), text(&one["symbol"]))
                });
                let truth: Vec<_> = truth.collect();
                faults.push(format!(
                    "{why}: {} from {} is {frames:#?}, end {}, and was {truth:#?}",
                    stack["thread"], stack["start"], stack["end"]
                ));
            }
        }
        if self.whole && seen != threads.len() {
            faults.push(format!("stacks of {seen} of {} threads", threads.len()));
        }
        faults
    }

    fn compare_stack(&self, stack: &Value, truth: &Value) -> Result<(), String> {
        if truth["resident"] == false {
            let empty = each(&stack["frames"]).next().is_none();
            let said = text(&stack["end"]) == "not resident" || !self.typed;
            return if empty && said { Ok(()) } else { Err("it was not resident".into()) };
        }
        let true_frames: Vec<&Value> = each(&truth["stack"]).collect();
        if !self.whole {
            return only_true_frames(stack, &true_frames);
        }
        // A thread that does not run goes on where the context switch returns to.
        let skipped = usize::from(text(&stack["start"]) == "switch frame");
        let frames: Vec<&Value> = each(&stack["frames"]).collect();
        if frames.len() + skipped != true_frames.len() {
            return Err(format!("{} frames of {}", frames.len(), true_frames.len() - skipped));
        }
        for (frame, truth) in frames.iter().zip(&true_frames[skipped..]) {
            if frame["address"] != truth["pc"] || frame["stack_pointer"] != truth["sp"] {
                return Err(format!("frame {}", frame_text(frame)));
            }
            let said = text(&frame["symbol"]);
            let name = text(&truth["symbol"]);
            let named = said == name || LABELS.contains(&(name, said));
            let exact = said != name || frame["offset"] == truth["offset"];
            if self.typed && self.named.contains("Symbols") && (!named || !exact) {
                return Err(format!("{} is {name}+{}", frame_text(frame), truth["offset"]));
            }
        }
        match stack["whole"] == true {
            true => Ok(()),
            false => Err("it is not called whole".into()),
        }
    }
}

/// With pages missing: what is believed is true, in order.
fn only_true_frames(stack: &Value, truth: &[&Value]) -> Result<(), String> {
    let mut rest = truth.iter();
    for frame in each(&stack["frames"]) {
        if !matches!(text(&frame["trust"]), "certain" | "probable") {
            continue;
        }
        // By the chain of frame pointers, the stack pointer is the lowest it can be.
        let lowest = text(&frame["found"]) == "frame-pointer";
        let same = |of: &&&Value| {
            let (said, is) = (text(&frame["stack_pointer"]), text(&of["sp"]));
            frame["address"] == of["pc"] && (said == is || lowest && said < is)
        };
        if rest.find(same).is_none() {
            return Err(format!("no frame is {}", frame_text(frame)));
        }
    }
    Ok(())
}

fn frame_text(frame: &Value) -> String {
    format!(
        "{} {} {}!{}+{} [{} {}]",
        text(&frame["address"]),
        text(&frame["stack_pointer"]),
        text(&frame["module"]),
        text(&frame["symbol"]),
        frame["offset"],
        text(&frame["found"]),
        text(&frame["trust"])
    )
}
