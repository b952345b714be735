//! The command driver on real homes, by the real program, where no node is needed; and the command itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use node_migrate::rollout::driver::Driver;
use node_migrate::rollout::driver::command::CommandDriver;
use node_migrate::rollout::fact::{Action, Outcome};
use node_migrate::rollout::observation::{HomeSeen, Prepared, Process, Side};
use node_migrate::rollout::plan::{NodeName, Plan};
use node_migrate::rollout::state::State;
use node_migrate::rollout::step::Order;

use crate::fixture::Fixture;
use crate::fleet::Fleet;
use crate::program::{command, digests, engines, executable, let_the_blocks_grow, run, text};

const HOME: &str = "cometbft-0.38-goleveldb-onelog";

/// Three nodes of equal power, one of them on a real home; nobody answers at their RPC.
fn toml(home: &Path, more: &str) -> String {
    let mut text = r#"name = "a test"
with_new_heights = "migrate-back"
[format]
to = "pebbledb"
back = "goleveldb"
[network]
block_time_ms = 1000
total_power = 100
[jail]
window_blocks = 10000
missed_blocks_max = 9500
[limits]
power_margin_percent = 5
nodes_in_flight_max = 1
node_downtime_seconds_max = 600
command_seconds_max = 5
stage_seconds_max = 3600
[gates]
height_lag_blocks_max = 3
missed_blocks_max = 200
errors_max = 5
disk_free_bytes_min = 1
attestation_interval_heights = 5
grace_seconds = 10
stall_seconds_max = 600
[[stage]]
name = "canary"
rest = true
population_min = 1
soak_heights = 10
promotion = "automatic"
[[node]]
name = "val0"
role = "validator"
power = 10
failure_domain = "here"
[node.command]
rpc = "http://127.0.0.1:9"
"#
    .to_owned();
    text.push_str(&format!("home = {:?}\n", home.display().to_string()));
    text.push_str(if more.is_empty() { "start = \"false\"\nstop = \"false\"\n" } else { more });
    text
}

/// A driver for one node on a home of its own.
struct Trial {
    fixture: Fixture,
    plan: Plan,
    program: PathBuf,
}

impl Trial {
    fn new(more: &str) -> Self {
        let fixture = Fixture::unpack(HOME);
        let plan = Plan::parse(&toml(&fixture.home(), more)).expect("a plan");
        Self { fixture, plan, program: PathBuf::from(env!("CARGO_BIN_EXE_node-migrate")) }
    }

    fn home(&self) -> PathBuf {
        self.fixture.home()
    }

    fn driver(&self) -> CommandDriver {
        let folder = self.home().with_extension("out");
        CommandDriver::new(&self.plan, self.program.clone(), folder, Arc::default()).expect("a driver")
    }

    fn act(&self, action: Action) -> Outcome {
        let node = NodeName::try_from("val0".to_owned()).expect("a name");
        let driver = self.driver();
        // As the controller does: who has seen nothing knows of nothing that is the rollout's own.
        driver.observe(&State::new(&self.plan));
        driver.act(&Order { node, action, seconds_max: 120 })
    }

    fn done(&self, action: Action) {
        match self.act(action) {
            Outcome::Done { .. } => {}
            other => panic!("{action}: {other:?}"),
        }
    }

    fn fails(&self, action: Action, says: &str) {
        match self.act(action) {
            Outcome::Failed { reason } => assert!(reason.contains(says), "{action} does not say {says:?}: {reason}"),
            other => panic!("{action}: {other:?}"),
        }
    }

    fn stands(&self) -> (Side, Prepared, Process) {
        let seen = self.driver().observe(&State::new(&self.plan));
        let node = seen.nodes.into_values().next().expect("one node");
        let HomeSeen { side, prepared, .. } = node.home.expect("the home can be read");
        (side, prepared, node.process)
    }

    /// From now on the program meets a fault.
    fn with_fault(&mut self, fault: &str) {
        let path = self.home().with_extension("sh");
        let script =
            format!("#!/bin/sh\nNODE_MIGRATE_FAULT={fault} exec {} \"$@\"\n", env!("CARGO_BIN_EXE_node-migrate"));
        executable(&path, &script);
        self.program = path;
    }

    fn without_fault(&mut self) {
        self.program = PathBuf::from(env!("CARGO_BIN_EXE_node-migrate"));
    }

    fn forward(&self) {
        for action in [Action::Copy, Action::Verify, Action::CutOver] {
            self.done(action);
        }
    }
}

#[test]
fn a_node_goes_forward_and_back_and_is_seen_at_every_step() {
    let trial = Trial::new("");
    let before = digests(&trial.home());
    let stopped = |side, prepared| (side, prepared, Process::Stopped);
    assert_eq!(trial.stands(), stopped(Side::Old, Prepared::Nothing));
    trial.done(Action::Stop);
    trial.done(Action::Copy);
    assert_eq!(trial.stands(), stopped(Side::Old, Prepared::Copied));
    trial.done(Action::Verify);
    assert_eq!(trial.stands(), stopped(Side::Old, Prepared::Verified));
    trial.done(Action::CutOver);
    assert_eq!(trial.stands(), stopped(Side::New, Prepared::Nothing));
    trial.done(Action::RollBack);
    assert_eq!(trial.stands(), stopped(Side::Old, Prepared::Nothing));
    trial.forward();
    assert_eq!(trial.stands(), stopped(Side::New, Prepared::Nothing));
    trial.done(Action::MigrateBack);
    assert_eq!(trial.stands(), stopped(Side::Old, Prepared::Nothing));
    assert_eq!(engines(&trial.home())["blockstore.db"], "goleveldb");
    assert_eq!(digests(&trial.home()), before);
    // Taken up again: what it came back from is let go.
    trial.forward();
    assert_eq!(trial.stands(), stopped(Side::New, Prepared::Nothing));
    assert_eq!(digests(&trial.home()), before);
}

#[test]
fn a_migration_from_before_the_rollout_is_the_operators_to_let_go() {
    let trial = Trial::new("");
    trial.forward();
    let node = NodeName::try_from("val0".to_owned()).expect("a name");
    let driver = trial.driver();
    let mut state = State::new(&trial.plan);
    state.begun_at_ms = 4_000_000_000_000;
    driver.observe(&state);
    match driver.act(&Order { node, action: Action::Copy, seconds_max: 120 }) {
        Outcome::Failed { reason } => assert!(reason.contains("cut over and not finalised"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_that_is_damaged_after_its_verification_is_not_cut_over() {
    let trial = Trial::new("");
    trial.done(Action::Copy);
    trial.done(Action::Verify);
    let new = new_tables(&trial.home(), "blockstore").pop().expect("a table");
    let bytes = fs::read(&new).expect("reads");
    fs::write(&new, &bytes[..bytes.len() - 1]).expect("writes");
    trial.fails(Action::CutOver, "has changed since it was sealed and verified");
    assert_eq!(trial.stands().0, Side::Old);
    assert_eq!(engines(&trial.home())["blockstore.db"], "goleveldb");
}

/// The tables of a new database, before its cut-over or after it.
fn new_tables(home: &Path, database: &str) -> Vec<PathBuf> {
    let live = home.join(format!("data/{database}.db"));
    let workspaces =
        fs::read_dir(home.join("data/.node-migrate")).expect("lists").map(|entry| entry.expect("lists").path());
    let waiting = workspaces.map(|path| path.join(format!("databases/{database}/waiting")));
    let folders = waiting.chain([live]).filter(|path| path.is_dir());
    let files =
        folders.flat_map(|folder| fs::read_dir(folder).expect("lists")).map(|entry| entry.expect("lists").path());
    let mut tables: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|kind| kind == "sst")).collect();
    tables.sort();
    tables
}

fn ruin(database: &str, home: &Path) {
    for table in new_tables(home, database) {
        let length = fs::metadata(&table).expect("is there").len();
        fs::write(table, vec![0x5a; usize::try_from(length / 2).expect("small")]).expect("writes");
    }
}

#[test]
fn a_node_whose_new_state_is_ruined_after_the_cut_over_goes_back() {
    let trial = Trial::new("");
    let before = digests(&trial.home());
    trial.forward();
    ruin("state", &trial.home());
    trial.done(Action::RollBack);
    assert_eq!(digests(&trial.home()), before);
}

#[test]
fn a_ruined_block_store_proves_nothing_and_stays() {
    let trial = Trial::new("");
    trial.forward();
    ruin("blockstore", &trial.home());
    trial.fails(Action::RollBack, "it cannot be told what the new blockstore holds");
    assert_eq!(trial.stands().0, Side::New);
}

#[test]
fn new_heights_are_never_lost_on_the_way_back() {
    let trial = Trial::new("");
    trial.forward();
    let_the_blocks_grow(&trial.home());
    let grown = digests(&trial.home())["blockstore.db"].clone();
    let refused = trial.act(Action::RollBack);
    assert!(matches!(&refused, Outcome::WouldLose { reason } if reason.contains("blocks 1 to 240")), "{refused:?}");
    assert_eq!(trial.stands().0, Side::New);
    // The blocks are another chain's, so its verification fails, and the old databases are not let go.
    trial.fails(Action::MigrateBack, "verify ended with exit status: 6");
    assert_eq!(trial.stands().0, Side::New);
    assert_eq!(digests(&trial.home())["blockstore.db"], grown);
}

#[test]
fn a_migration_that_is_killed_goes_on_when_the_order_is_given_again() {
    let mut trial = Trial::new("");
    let before = digests(&trial.home());
    for (action, at) in [(Action::Copy, 20), (Action::Verify, 1), (Action::CutOver, 10), (Action::RollBack, 8)] {
        trial.with_fault(&format!("crash@{at}"));
        trial.fails(action, "signal: 9");
        trial.without_fault();
        trial.done(action);
    }
    assert_eq!(trial.stands().0, Side::Old);
    assert_eq!(digests(&trial.home()), before);
}

#[test]
fn a_disk_that_fills_is_named_and_nothing_is_lost() {
    let mut trial = Trial::new("");
    let before = digests(&trial.home());
    trial.with_fault("enospc@25");
    trial.fails(Action::Copy, "No space left on device");
    trial.without_fault();
    assert_eq!(trial.stands(), (Side::Old, Prepared::Nothing, Process::Stopped));
    assert_eq!(digests(&trial.home()), before);
    trial.done(Action::Copy);
}

#[test]
fn a_node_that_does_not_start_is_told_with_its_last_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let more = format!(
        "start = \"(echo panic: wrong engine >>{log}; touch {up}; sleep 3; rm {up}) &\"\nstop = \"rm -f {up}\"\nalive = \"test -e {up}\"\nlog = \"{log}\"\n",
        log = file("node.log"),
        up = file("up")
    );
    let trial = Trial::new(&more);
    trial.fails(Action::Start, "the node exited after its start: panic: wrong engine");
    trial.done(Action::Stop);
    let never = Trial::new("start = \"exit 7\"\nstop = \"true\"\n");
    never.fails(Action::Start, "the start command ended with exit status: 7");
    let unseen = Trial::new("start = \"true\"\nstop = \"true\"\nalive = \"false\"\n");
    unseen.fails(Action::Start, "the node is not there after its start command");
}

/// A plan file beside a home.
fn plan_file(fixture: &Fixture) -> PathBuf {
    let path = fixture.home().with_extension("toml");
    let text = toml(&fixture.home(), "");
    fs::write(&path, text).expect("writes");
    path
}

#[test]
fn the_plan_is_shown_or_refused_and_nothing_is_done_without_execute() {
    let fixture = Fixture::unpack(HOME);
    let plan = plan_file(&fixture);
    let shown = run(&["rollout", "plan", text(&plan), "--json"]).ok().json();
    assert_eq!(shown["stages"][0]["nodes"][0], "val0");
    assert_eq!(shown["power_down_below"], 29);
    let dry = run(&["rollout", "run", text(&plan)]).ok();
    assert!(dry.out.contains("Nothing was changed"), "{}", dry.out);
    assert!(!plan.with_extension("log").exists());
    run(&["rollout", "status", text(&plan)]).failed(8, "none was begun");
    let heavy = fs::read_to_string(&plan).expect("reads").replace("\npower = 10\n", "\npower = 40\n");
    fs::write(&plan, heavy).expect("writes");
    run(&["rollout", "plan", text(&plan)]).failed(2, "stage canary may take down val0 at once: power 40 of 100");
    run(&["rollout", "run", text(&plan), "--execute"]).failed(2, "may take down val0");
}

#[test]
fn an_unreachable_node_halts_the_rollout_and_a_second_controller_is_refused_by_name() {
    let fixture = Fixture::unpack(HOME);
    let plan = plan_file(&fixture);
    let arguments = ["rollout", "run", text(&plan), "--execute", "--poll-ms", "200"];
    let mut first = command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program runs");
    let log = plan.with_extension("log");
    while fs::metadata(&log).map_or(0, |meta| meta.len()) < 500 {
        assert!(first.try_wait().expect("asks").is_none(), "the first controller ended");
        std::thread::yield_now();
    }
    let owner = format!("pid {} on ", first.id());
    run(&arguments).failed(8, &owner);
    let ended = first.wait().expect("ends");
    assert_eq!(ended.code(), Some(9));
    let status = run(&["rollout", "status", text(&plan), "--json"]).ok().json();
    assert_eq!((status["phase"].as_str(), status["halted"].as_str()), (Some("halted"), Some("val0 cannot be reached")));
    let review = run(&["rollout", "review", text(&plan)]).ok().out;
    assert!(review.contains("**the rollout halts**: val0 cannot be reached"), "{review}");
    run(&["rollout", "run", text(&plan), "--execute", "--approve", "canary", "--by", "Ada"]).failed(8, "does not wait");
    fs::write(&plan, fs::read_to_string(&plan).expect("reads") + "# changed\n").expect("writes");
    run(&arguments).failed(8, "not the one that the rollout");
    assert_eq!(engines(&fixture.home())["blockstore.db"], "goleveldb");
    assert!(!fixture.home().join("data/.node-migrate").exists(), "nothing was begun");
}

/// The runbook's plan, where its nodes are at 127.0.`net`, and no stage waits for a person.
fn runbook_plan(net: u8) -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/runbook.md")).expect("reads");
    let (_, from) = page.split_once("```toml file=rollout.toml\n").expect("the page has a plan");
    let (text, _) = from.split_once("```\n").expect("which ends");
    text.replace("127.0.26.", &format!("127.0.{net}.")).replace("by-person", "automatic")
}

#[test]
fn a_controller_that_is_killed_again_and_again_repeats_nothing() {
    let fleet = Fleet::new(27);
    fs::write(fleet.at("rollout.toml"), runbook_plan(27)).expect("writes");
    let arguments = ["rollout", "run", "rollout.toml", "--execute", "--poll-ms", "100"];
    let written = || fs::metadata(fleet.at("rollout.log")).map_or(0, |meta| meta.len());
    let mut killed = 0;
    let ended = loop {
        let mut run = fleet.command("node-migrate", &arguments);
        let mut controller = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program runs");
        // Another stretch of the log for each life, so that deaths fall everywhere.
        let until = written() + 2500 + 311 * killed;
        let code = loop {
            if let Some(status) = controller.try_wait().expect("asks") {
                break status.code();
            }
            if written() > until {
                controller.kill().expect("is there");
                controller.wait().expect("ends");
                break None;
            }
            std::thread::yield_now();
        };
        match code {
            None => killed += 1,
            Some(code) => break code,
        }
    };
    let status = fleet.command("node-migrate", &["rollout", "status", "rollout.toml"]).output().expect("runs");
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert_eq!(ended, 0, "{status}");
    assert!(killed > 4, "killed only {killed} times");
    for node in ["val0", "val1", "val2", "val3"] {
        let count = |call: &str| fleet.read(&format!("{node}.calls")).lines().filter(|line| *line == call).count();
        assert_eq!((count("stop"), count("start")), (1, 1), "{node}: {status}");
        let trail = run(&["journal", text(&fleet.at(node)), "--json"]).ok().json();
        let migrations = trail.as_array().expect("a list");
        assert_eq!(migrations.len(), 1, "{node}");
        let records = migrations[0]["records"].as_array().expect("a list");
        let begun = records.iter().filter(|record| record["event"]["kind"] == "switch_begun").count();
        assert_eq!(begun, 1, "{node} was cut over more than once");
    }
}
