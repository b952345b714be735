//! Whole rollouts over the world in memory: the good way, every bad input, a controller that dies anywhere.

use super::world::{Fault, Rollout, World};
use super::{plan, three_stages};
use crate::rollout::fact::{Action, Fact};
use crate::rollout::observation::Side;
use crate::rollout::step::Rest;

fn world(more: &str) -> World {
    World::new(plan(&three_stages(7, more)))
}

fn sides(rollout: &Rollout) -> Vec<Side> {
    rollout.world.nodes.values().map(|node| node.side).collect()
}

#[test]
fn three_stages_take_every_node_to_the_new_format() {
    let mut rollout = Rollout::new(world(""));
    assert_eq!(rollout.run(), Some(Rest::Complete));
    assert_eq!(sides(&rollout), [Side::New; 7]);
    assert!(rollout.world.nodes.values().all(|node| node.running));
    for node in 0..7 {
        assert_eq!(rollout.world.count(&format!("val{node}"), Action::CutOver), 1);
    }
    let promoted = rollout.log.iter().filter(|entry| matches!(entry.fact, Fact::Promoted { .. })).count();
    assert_eq!(promoted, 3);
}

/// A fault of a node of the second stage: what the halt says, and that the rest of the network is well.
fn fault(fault: Fault, more: &str, says: &str) -> Rollout {
    let mut rollout = Rollout::new(world(more).with("val2", fault));
    assert_eq!(rollout.run(), Some(Rest::Halted), "{fault:?}");
    assert!(rollout.halts().iter().any(|reason| reason.contains(says)), "{fault:?}: {:?}", rollout.halts());
    for untouched in ["val4", "val5", "val6"] {
        assert_eq!(rollout.world.count(untouched, Action::Stop), 0, "{fault:?}: {untouched}");
    }
    assert!(rollout.world.node("val1").running, "{fault:?}");
    rollout
}

#[test]
fn a_fault_before_the_cut_over_brings_the_node_back_in_the_old_format() {
    for (kind, says) in [
        (Fault::CopyKilled, "val2 failed to copy: the program was killed by signal 9"),
        (Fault::DiskFull, "val2 failed to copy: the disk is full"),
        (Fault::CorruptAfterVerify, "val2 failed to cut over: the new blockstore has changed"),
    ] {
        let mut rollout = fault(kind, "", says);
        let node = rollout.world.node("val2");
        assert!(node.running && node.side == Side::Old, "{kind:?}");
        assert_eq!(rollout.held().len(), 1, "val1 stays on its new heights: {:?}", rollout.held());
    }
}

#[test]
fn a_node_that_does_not_start_is_rolled_back_without_a_lost_height() {
    let mut rollout = fault(Fault::DoesNotStart, "", "val2 failed to start: exit code 1");
    let node = rollout.world.node("val2");
    assert!(node.running && node.side == Side::Old);
    assert_eq!(rollout.world.count("val2", Action::RollBack), 1);
}

#[test]
fn a_node_that_dies_after_its_start_is_rolled_back() {
    let mut rollout = fault(Fault::Crashes, "", "val2 does not stay up");
    let node = rollout.world.node("val2");
    assert!(node.running && node.side == Side::Old);
}

#[test]
fn a_node_with_new_heights_is_held_in_the_new_format() {
    for (kind, says) in [(Fault::Errors, "val2 logs too many errors"), (Fault::Lies, "val2 attests to another root")] {
        let mut rollout = fault(kind, "", says);
        if kind == Fault::Errors {
            assert!(rollout.held().len() >= 2, "{:?}", rollout.held());
            assert!(rollout.world.node("val2").side == Side::New && rollout.world.node("val2").running);
        }
    }
}

#[test]
fn a_failed_stage_migrates_back_with_its_new_heights_when_the_plan_says_so() {
    let mut rollout = fault(Fault::Errors, "with_new_heights = \"migrate-back\"", "val2 logs too many errors");
    assert!(rollout.held().is_empty(), "{:?}", rollout.held());
    let canary_stays = [Side::New, Side::Old, Side::Old, Side::Old, Side::Old, Side::Old, Side::Old];
    assert_eq!(sides(&rollout), canary_stays);
    assert!(rollout.world.nodes.values().all(|node| node.running));
    assert_eq!(rollout.world.count("val1", Action::MigrateBack), 1);
    assert!(rollout.world.node("val1").old_height > 100);
}

#[test]
fn a_node_that_falls_behind_halts_the_stage() {
    let rollout = fault(Fault::Lags, "", "val2 is out of service for too long");
    assert_eq!(rollout.held().len(), 1);
}

#[test]
fn an_unreachable_node_halts_before_anything_is_done() {
    let mut rollout = Rollout::new(world("").with("val5", Fault::Unreachable));
    assert_eq!(rollout.run(), Some(Rest::Halted));
    assert!(rollout.halts()[0].contains("val5 cannot be reached"), "{:?}", rollout.halts());
    assert!(rollout.world.nodes.values().all(|node| node.running));
}

#[test]
fn a_liar_outside_of_the_stage_halts_and_nothing_goes_back() {
    let mut rollout = Rollout::new(world("").with("val6", Fault::Lies));
    assert_eq!(rollout.run(), Some(Rest::Halted));
    assert!(rollout.halts()[0].contains("val6 attests to another root at height"), "{:?}", rollout.halts());
    assert_eq!(rollout.world.done.iter().filter(|(_, action)| *action == Action::RollBack).count(), 0);
}

#[test]
fn a_node_that_starts_nowhere_is_held_and_nobody_else_is_taken_down() {
    let mut rollout = Rollout::new(world("with_new_heights = \"migrate-back\"").with("val2", Fault::StartFails));
    assert_eq!(rollout.run(), Some(Rest::Halted));
    assert!(rollout.held().iter().any(|held| held.contains("val2: failed to start")), "{:?}", rollout.held());
    assert!(
        rollout.held().iter().any(|held| held.contains("val1: it cannot be taken out of service to go back: val2")),
        "{:?}",
        rollout.held()
    );
    let down: Vec<_> = rollout.world.nodes.iter().filter(|(_, node)| !node.running).map(|(name, _)| name).collect();
    assert_eq!(down.len(), 1, "{down:?}");
}

#[test]
fn a_halted_rollout_goes_on_when_a_person_takes_it_up() {
    let mut rollout = fault(Fault::DoesNotStart, "", "val2 failed to start");
    rollout.world.node("val2").faults.clear();
    rollout.say(Fact::Resumed { by: "Ada".to_owned(), reason: "the node's binary is mended".to_owned() });
    assert_eq!(rollout.run(), Some(Rest::Complete));
    assert_eq!(sides(&rollout), [Side::New; 7]);
    assert_eq!(rollout.world.count("val1", Action::CutOver), 1, "what was done stays done");
}

#[test]
fn a_person_is_waited_for_and_named() {
    let text = three_stages(7, "").replacen("\"automatic\"", "\"by-person\"", 1);
    let mut rollout = Rollout::new(World::new(plan(&text)));
    assert_eq!(rollout.run(), Some(Rest::Awaiting));
    assert_eq!(rollout.world.count("val1", Action::Stop), 0);
    rollout.say(Fact::Approved { stage: "canary".to_owned(), by: "Grace".to_owned() });
    assert_eq!(rollout.run(), Some(Rest::Complete));
    let by = rollout.log.iter().find_map(|entry| match &entry.fact {
        Fact::Promoted { by, .. } => Some(by.clone()),
        _ => None,
    });
    assert_eq!(by, Some(Some("Grace".to_owned())));
}

/// Runs once undisturbed; then lets the controller die before every record of that run, and a second one go on.
fn killed_everywhere(make: &dyn Fn() -> World, ends: Rest) {
    let mut whole = Rollout::new(make());
    assert_eq!(whole.run(), Some(ends));
    let expected = sides(&whole);
    for lives in 0..whole.log.len() {
        let mut rollout = Rollout::new(make());
        rollout.lives = lives;
        let first = rollout.run();
        rollout.lives = usize::MAX;
        let last = if first.is_none() { rollout.run() } else { first };
        assert_eq!(last, Some(ends), "killed at record {lives}");
        assert_eq!(sides(&rollout), expected, "killed at record {lives}");
        for node in rollout.world.plan.nodes.keys() {
            let count = |action| rollout.world.count(node.as_str(), action);
            assert!(count(Action::CutOver) <= 1, "{node} cut over twice, killed at record {lives}");
            assert_eq!(count(Action::Stop), count(Action::Start), "{node}, killed at record {lives}");
        }
    }
}

#[test]
fn a_controller_killed_at_any_record_is_followed_by_one_that_repeats_nothing() {
    let small = || World::new(plan(&three_stages(4, "")));
    killed_everywhere(&small, Rest::Complete);
}

#[test]
fn a_controller_killed_while_a_stage_goes_back_is_followed_by_one_that_repeats_nothing() {
    let failing = || world("with_new_heights = \"migrate-back\"").with("val2", Fault::DoesNotStart);
    killed_everywhere(&failing, Rest::Halted);
}
