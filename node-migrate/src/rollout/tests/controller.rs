//! The controller over the world in memory, with a real log on disk.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::world::{Fault, World};
use super::{plan, three_stages};
use crate::rollout::controller::{Controller, End};
use crate::rollout::driver::Driver;
use crate::rollout::fact::{Action, Entry, Fact, Outcome};
use crate::rollout::log::{Log, read};
use crate::rollout::observation::Observations;
use crate::rollout::plan::Plan;
use crate::rollout::review::review;
use crate::rollout::state::State;
use crate::rollout::step::{Order, Rest};

/// The world as a driver.
struct Scripted {
    world: Mutex<World>,
    /// Asks for a stop when so many actions were taken.
    stop_after: usize,
    stop: AtomicBool,
}

impl Scripted {
    fn new(world: World) -> Self {
        Self { world: Mutex::new(world), stop_after: usize::MAX, stop: AtomicBool::new(false) }
    }
}

impl Driver for Scripted {
    fn observe(&self, _: &State) -> Observations {
        let mut world = self.world.lock().expect("no panic before");
        world.tick();
        world.observe()
    }

    fn act(&self, order: &Order) -> Outcome {
        let mut world = self.world.lock().expect("no panic before");
        let outcome = world.act(order);
        if world.done.len() >= self.stop_after {
            self.stop.store(true, Ordering::SeqCst);
        }
        outcome
    }
}

/// One controller's life on the log at `path`.
fn run(plan: &Plan, driver: &Scripted, path: &Path) -> End {
    let (log, entries) = Log::open(path, "a test").expect("opens");
    let now_ms = || driver.world.lock().expect("no panic before").now_ms;
    let mut controller = Controller {
        plan,
        log,
        state: State::of(plan, &entries),
        driver,
        now_ms: &now_ms,
        poll: Duration::from_millis(1),
        stop: &driver.stop,
        listener: &|_: &Entry| {},
    };
    if !controller.state.begun {
        let (tool, plan_sha256) = ("0".to_owned(), "00".to_owned());
        controller.write(Fact::Created { tool, plan_sha256, plan: String::new() }).expect("writes");
    }
    controller.run("a test").expect("the log can be written")
}

#[test]
fn a_rollout_comes_to_its_end_and_its_review_tells_of_it() {
    let (dir, plan) = (tempfile::tempdir().expect("a folder"), plan(&three_stages(4, "")));
    let (driver, path) = (Scripted::new(World::new(plan.clone())), dir.path().join("log"));
    assert_eq!(run(&plan, &driver, &path), End::At(Rest::Complete));
    let text = review(&plan, &read(&path).expect("reads"));
    for says in [
        "# Rollout a test (to pebbledb): complete",
        "## Stage canary (1 nodes)",
        "**stage fraction is promoted** by its gates",
        "| val3 | validator | 10 | rack3 | all | pebbledb |",
        "| val2 | copy |",
        "at height 1",
        "power 10 of 40 down (must stay below 13)",
        "mean block time 1000 ms",
        "heights/s",
        "Signatures missed: val0",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
}

#[test]
fn a_halted_rollout_is_told_with_its_reason_and_what_it_rests_on() {
    let (dir, plan) = (tempfile::tempdir().expect("a folder"), plan(&three_stages(7, "")));
    let (driver, path) = (Scripted::new(World::new(plan.clone()).with("val2", Fault::Errors)), dir.path().join("log"));
    assert_eq!(run(&plan, &driver, &path), End::At(Rest::Halted));
    let text = review(&plan, &read(&path).expect("reads"));
    for says in [
        "# Rollout a test (to pebbledb): halted",
        "**Halted**",
        "val2 logs too many errors",
        "val2 logged 6 errors (at most 5)",
        "**val2 needs an operator**",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
}

#[test]
fn a_controller_that_is_asked_to_stop_is_followed_by_one_that_goes_on() {
    let (dir, plan) = (tempfile::tempdir().expect("a folder"), plan(&three_stages(4, "")));
    let path = dir.path().join("log");
    let mut driver = Scripted::new(World::new(plan.clone()));
    let mut lives = 0;
    loop {
        lives += 1;
        driver.stop_after = driver.world.lock().expect("no panic before").done.len() + 3;
        driver.stop.store(false, Ordering::SeqCst);
        match run(&plan, &driver, &path) {
            End::Stopped => {}
            end => {
                assert_eq!(end, End::At(Rest::Complete));
                break;
            }
        }
    }
    assert!(lives > 5, "stopped only {lives} times");
    let world = driver.world.lock().expect("no panic before");
    for node in plan.nodes.keys() {
        for action in [Action::Stop, Action::Copy, Action::Verify, Action::CutOver, Action::Start] {
            assert_eq!(world.count(node.as_str(), action), 1, "{node}: {action}");
        }
    }
}

#[test]
fn nothing_is_begun_that_the_log_does_not_hold() {
    let (dir, plan) = (tempfile::tempdir().expect("a folder"), plan(&three_stages(4, "")));
    let (driver, path) = (Scripted::new(World::new(plan.clone())), dir.path().join("log"));
    run(&plan, &driver, &path);
    let world = driver.world.lock().expect("no panic before");
    let log = read(&path).expect("reads");
    let begun: Vec<_> = log
        .records
        .iter()
        .filter_map(|record| match &record.event.fact {
            Fact::Begun { node, action, .. } => Some((node.clone(), *action)),
            _ => None,
        })
        .collect();
    assert_eq!(begun, world.done, "every effect has its record, in the same order");
}
