//! Whatever is observed, in whatever order: the promises of the step function hold.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{head, name};
use crate::rollout::fact::{Action, Entry, Fact, Outcome};
use crate::rollout::observation::{
    Attestation, HomeSeen, NodeSeen, Observations, Prepared, Process, RpcSeen, Sample, Side,
};
use crate::rollout::plan::{NodeName, Plan};
use crate::rollout::state::State;
use crate::rollout::step::{Order, step};

/// What one round brings, as numbers from which a round is made beside the state.
#[derive(Clone, Debug)]
struct Round {
    nodes: Vec<[u8; 6]>,
    seconds: u64,
    outcomes: Vec<u8>,
    event: u8,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let node = prop::array::uniform6(any::<u8>());
    let round = (vec(node, 7), 0_u64..40, vec(any::<u8>(), 7), any::<u8>())
        .prop_map(|(nodes, seconds, outcomes, event)| Round { nodes, seconds, outcomes, event });
    vec(round, 1..120)
}

fn plans() -> impl Strategy<Value = Plan> {
    let nodes = vec((0_u8..4, 0_u8..4), 4..8);
    (nodes, 1_usize..4, any::<bool>(), any::<bool>()).prop_filter_map("refused", |(nodes, in_flight, back, person)| {
        let more = if back { "with_new_heights = \"migrate-back\"" } else { "" };
        let mut text = head(more).replace("nodes_in_flight_max = 1", &format!("nodes_in_flight_max = {in_flight}"));
        for (at, (power, domain)) in nodes.iter().enumerate() {
            let role = if *power == 0 { "full" } else { "validator" };
            text.push_str(&format!("[[node]]\nname = \"n{at}\"\nrole = \"{role}\"\npower = {power}\nfailure_domain = \"d{domain}\"\n"));
        }
        let promotion = if person { "by-person" } else { "automatic" };
        for (stage, members) in [("one", "nodes = [\"n0\"]"), ("two", "share_percent = 40"), ("three", "rest = true")] {
            text.push_str(&format!("[[stage]]\nname = \"{stage}\"\n{members}\npopulation_min = 1\nsoak_heights = 10\npromotion = \"{promotion}\"\n"));
        }
        Plan::parse(&text).ok()
    })
}

/// One in so many: the rest of the time things go well, so that rollouts get far.
fn seldom(byte: u8) -> bool {
    byte < 10
}

fn observe(plan: &Plan, state: &State, round: &Round) -> Observations {
    let height = state.sampled_to_height + u64::from(round.event % 4);
    let mut seen = Observations::default();
    let mut sample = Sample { after_height: state.sampled_to_height, to_height: height, ..Sample::default() };
    for (node, bytes) in plan.nodes.keys().zip(&round.nodes) {
        let known = &state.nodes[node];
        if !seldom(bytes[5]) {
            sample.signed.insert(node.clone(), height);
        } else {
            sample.missed.insert(node.clone(), u64::from(bytes[4]));
        }
        if bytes[0] != 0 {
            seen.nodes.insert(node.clone(), node_seen(known, height, bytes));
        }
    }
    seen.chain = (round.event > 3).then_some(sample);
    seen
}

fn node_seen(known: &crate::rollout::state::NodeState, height: u64, bytes: &[u8; 6]) -> NodeSeen {
    let odd_side = [Side::Old, Side::Switching, Side::New][usize::from(bytes[4] % 3)];
    let odd_copy = [Prepared::Nothing, Prepared::Copied, Prepared::Verified][usize::from(bytes[3] % 3)];
    let process = if known.running != seldom(bytes[2]) { Process::Running } else { Process::Stopped };
    let home = HomeSeen {
        side: if seldom(bytes[4]) { odd_side } else { known.side },
        prepared: if seldom(bytes[3]) { odd_copy } else { known.prepared },
        detail: String::new(),
    };
    let behind = if seldom(bytes[1]) { u64::from(bytes[2] % 9) } else { 0 };
    let height = height.saturating_sub(behind);
    let root = [u8::from(bytes[0] > 253); 32];
    NodeSeen {
        process: if bytes[2] == 255 { Process::Unknown } else { process },
        home: if bytes[3] == 255 { Err("busy".to_owned()) } else { Ok(home) },
        rpc: if process == Process::Running && bytes[1] < 250 {
            Ok(RpcSeen { height, catching_up: bytes[1] == 249, address: None })
        } else {
            Err("silent".to_owned())
        },
        attestations: (bytes[1] < 200).then_some(Attestation { height: height / 5 * 5, root }).into_iter().collect(),
        disk_free_bytes: (bytes[5] != 254).then_some(if bytes[5] == 255 { 1 } else { 5000 }),
        errors_total: Some(u64::from(bytes[0] == 252) * 100),
    }
}

fn outcome(byte: u8) -> Outcome {
    match byte {
        0..=9 => Outcome::Failed { reason: "failed".to_owned() },
        10..=14 => Outcome::WouldLose { reason: "would lose".to_owned() },
        _ => Outcome::Done { report: String::new() },
    }
}

/// What the log alone says, kept apart from the state under test.
#[derive(Default)]
struct Auditor {
    out: Vec<NodeName>,
    open: Vec<(NodeName, Action)>,
    halted: bool,
    soak_from: Option<u64>,
    asked: bool,
    approved: bool,
    stage: usize,
    on_new: Vec<NodeName>,
}

impl Auditor {
    fn hear(&mut self, plan: &Plan, fact: &Fact, seen: &Observations) {
        match fact {
            Fact::TakenOver { .. } => self.open.clear(),
            Fact::Begun { node, action, .. } => self.begun(plan, node, *action),
            Fact::Ended { node, action, outcome } => {
                self.open.retain(|open| *open != (node.clone(), *action));
                if matches!((action, outcome), (Action::CutOver, Outcome::Done { .. })) {
                    self.on_new.push(node.clone());
                }
            }
            Fact::Found { node, side: Side::New, .. } => self.on_new.push(node.clone()),
            Fact::InService { node, .. } => self.out.retain(|out| out != node),
            Fact::SoakBegun { height, .. } => self.soak_from = Some(*height),
            Fact::AwaitingApproval { .. } => self.asked = true,
            Fact::Approved { .. } => self.approved = self.asked,
            Fact::Promoted { .. } => self.promoted(plan, seen),
            Fact::Halted { .. } => {
                (self.halted, self.soak_from, self.asked, self.approved) = (true, None, false, false)
            }
            Fact::Resumed { .. } => {
                (self.halted, self.soak_from, self.asked, self.approved) = (false, None, false, false)
            }
            _ => {}
        }
    }

    fn begun(&mut self, plan: &Plan, node: &NodeName, action: Action) {
        assert!(self.open.iter().all(|(open, _)| open != node), "two actions at once on {node}");
        self.open.push((node.clone(), action));
        let migrates = matches!(action, Action::Copy | Action::Verify | Action::CutOver);
        assert!(!(self.halted && migrates), "{action} of {node} after a halt");
        assert!(plan.stage_of(node) <= Some(self.stage), "{node} before its stage");
        if self.out.contains(node) {
            return;
        }
        self.out.push(node.clone());
        assert!(self.out.len() <= plan.limits.nodes_in_flight_max, "in flight: {:?}", self.out);
        let of = |node: &NodeName| plan.nodes[node].power;
        let power: u64 = self.out.iter().map(of).sum();
        assert!(power == 0 || of(node) == 0 || plan.allows_down(power), "power {power} in flight: {:?}", self.out);
        let domain = |node: &NodeName| plan.nodes[node].failure_domain.clone();
        let shared = self.out.iter().filter(|other| domain(other) == domain(node)).count();
        assert_eq!(shared, 1, "two of one failure domain: {:?}", self.out);
    }

    fn promoted(&mut self, plan: &Plan, seen: &Observations) {
        let stage = &plan.stages[self.stage];
        assert!(!self.halted, "promoted after a halt");
        let soak_from = self.soak_from.expect("promoted without a soak");
        assert!(stage.promotion == crate::rollout::plan::Promotion::Automatic || self.approved, "nobody approved");
        let mut attested: Option<Vec<Attestation>> = None;
        for node in &stage.nodes {
            assert!(self.on_new.contains(node), "{node} was never cut over");
            assert!(!self.out.contains(node), "{node} is out of service");
            let seen = &seen.nodes[node];
            assert!(
                seen.rpc.as_ref().expect("answers").height >= soak_from + stage.soak_heights,
                "{node} has not soaked"
            );
            let own: Vec<_> = seen.attestations.iter().filter(|word| word.height >= soak_from).copied().collect();
            attested =
                Some(attested.map_or(own.clone(), |all| all.into_iter().filter(|word| own.contains(word)).collect()));
        }
        assert!(attested.is_some_and(|words| !words.is_empty()), "no common attestation");
        (self.stage, self.soak_from, self.asked, self.approved) = (self.stage + 1, None, false, false);
    }
}

/// Something that others do: a person, or a controller that dies.
fn event(byte: u8, state: &State) -> Option<Fact> {
    match byte {
        0..=60 if state.halted.is_some() => Some(Fact::Resumed { by: "a".to_owned(), reason: "b".to_owned() }),
        0..=60 if state.awaiting => Some(Fact::Approved { stage: String::new(), by: "a".to_owned() }),
        61..=65 => Some(Fact::TakenOver { controller: "another".to_owned() }),
        _ => None,
    }
}

struct Trial {
    state: State,
    log: Vec<Entry>,
    auditor: Auditor,
    open: Vec<Order>,
}

impl Trial {
    fn write(&mut self, plan: &Plan, entry: Entry, seen: &Observations) {
        self.state.apply(&entry);
        self.auditor.hear(plan, &entry.fact, seen);
        self.log.push(entry);
    }
}

fn trial(plan: &Plan, rounds: &[Round]) -> Trial {
    let mut trial = Trial { state: State::new(plan), log: Vec::new(), auditor: Auditor::default(), open: Vec::new() };
    let nothing = Observations::default();
    let created = Fact::Created { tool: String::new(), plan_sha256: String::new(), plan: String::new() };
    trial.write(plan, Entry { at_ms: 0, fact: created }, &nothing);
    let mut now_ms = 0;
    for round in rounds {
        now_ms += round.seconds * 1000;
        if let Some(fact) = event(round.event, &trial.state) {
            if matches!(fact, Fact::TakenOver { .. }) {
                trial.open.clear();
            }
            trial.write(plan, Entry { at_ms: now_ms, fact }, &nothing);
        }
        let (ending, going): (Vec<_>, Vec<_>) =
            std::mem::take(&mut trial.open).into_iter().zip(&round.outcomes).partition(|(_, byte)| **byte % 4 != 3);
        trial.open = going.into_iter().map(|(order, _)| order).collect();
        for (order, byte) in ending {
            let fact = Fact::Ended { node: order.node, action: order.action, outcome: outcome(*byte) };
            trial.write(plan, Entry { at_ms: now_ms, fact }, &nothing);
        }
        let seen = observe(plan, &trial.state, round);
        let taken = step(plan, &trial.state, &seen, now_ms);
        assert_eq!(taken, step(plan, &trial.state, &seen, now_ms), "the same input, another step");
        for entry in taken.decisions {
            trial.write(plan, entry, &seen);
        }
        trial.open.extend(taken.actions);
    }
    trial
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_hold_for_arbitrary_observations(plan in plans(), rounds in rounds()) {
        let trial = trial(&plan, &rounds);
        prop_assert_eq!(State::of(&plan, &trial.log), trial.state);
        for entry in &trial.log {
            let text = serde_json::to_string(entry).expect("serialises");
            prop_assert_eq!(&serde_json::from_str::<Entry>(&text).expect("reads"), entry);
        }
    }
}

#[test]
fn arbitrary_rollouts_get_far_enough_to_mean_something() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut promoted, mut cut_over, mut halted, mut back) = (0, 0, 0, 0);
    for _ in 0..200 {
        let plan = plans().new_tree(&mut runner).expect("a plan").current();
        let rounds = vec(rounds_one(), 120).new_tree(&mut runner).expect("rounds").current();
        for entry in trial(&plan, &rounds).log {
            match entry.fact {
                Fact::Promoted { .. } => promoted += 1,
                Fact::Halted { .. } => halted += 1,
                Fact::Begun { action: Action::CutOver, .. } => cut_over += 1,
                Fact::Begun { action: Action::RollBack | Action::MigrateBack, .. } => back += 1,
                _ => {}
            }
        }
    }
    assert!(promoted > 20 && cut_over > 100 && halted > 100 && back > 20, "{promoted} {cut_over} {halted} {back}");
}

fn rounds_one() -> impl Strategy<Value = Round> {
    let node = prop::array::uniform6(any::<u8>());
    (vec(node, 7), 0_u64..3, vec(any::<u8>(), 7), any::<u8>()).prop_map(|(nodes, seconds, outcomes, event)| Round {
        nodes,
        seconds,
        outcomes,
        event,
    })
}

#[test]
fn facts_of_unknown_nodes_change_nothing() {
    let plan = super::plan(&super::three_stages(4, ""));
    let mut state = State::new(&plan);
    let before = state.clone();
    state.apply(&Entry { at_ms: 1, fact: Fact::Held { node: name("nobody"), reason: String::new() } });
    assert_eq!(state, before);
}
