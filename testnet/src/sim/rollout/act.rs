//! What the controller's actions do to a node, and how they fail.

use node_migrate::rollout::fact::{Action, Outcome};

use super::super::checks::Violation;
use super::super::damage::damage;
use super::super::scenario::Sabotage;
use super::super::schedule::Trouble;
use super::super::wires::Wires;
use super::super::world::World;
use super::controller::failed;
use crate::store::Format;

impl World<'_> {
    pub(super) fn act(&mut self, place: usize, action: Action) -> Result<Outcome, Violation> {
        // As the program does, which takes the locks of the databases.
        let needs_a_stopped_node =
            matches!(action, Action::Copy | Action::CutOver | Action::RollBack | Action::MigrateBack);
        if needs_a_stopped_node && self.nodes[place].validator.is_some() {
            return Ok(failed("the node is running"));
        }
        match action {
            Action::Stop => {
                self.stop(place);
                Ok(done())
            }
            Action::Copy => Ok(self.copy(place)),
            Action::Verify => self.verify(place),
            Action::CutOver => self.cut_over(place),
            Action::Start => self.start_by_order(place),
            Action::RollBack => self.roll_back(place),
            Action::MigrateBack => self.migrate_back(place),
        }
    }

    fn stop(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        node.validator = None;
        node.life += 1;
        node.fuse = None;
        node.is_stopped = true;
    }

    fn copy(&mut self, place: usize) -> Outcome {
        let trouble = self
            .take_trouble(place, |it| matches!(it, Trouble::CopyIsKilled | Trouble::CopyIsWrong | Trouble::DiskIsFull));
        let node = &mut self.nodes[place];
        match trouble {
            Some(Trouble::CopyIsKilled) => return failed("the program was killed by signal 9"),
            Some(Trouble::DiskIsFull) => {
                node.is_full = true;
                return failed("the disk is full");
            }
            _ => {}
        }
        match node.disk.stores.converted(Format::New) {
            Ok(mut copy) => {
                if trouble == Some(Trouble::CopyIsWrong) {
                    damage(&mut copy, &mut self.rng);
                    copy.is_damaged = true;
                }
                node.disk.copy = Some((copy, false));
                done()
            }
            Err(error) => failed(error.to_string()),
        }
    }

    fn verify(&mut self, place: usize) -> Result<Outcome, Violation> {
        let is_skipped = self.scenario.sabotage == Sabotage::CopiesAreNotVerified;
        let node = &mut self.nodes[place];
        let Some((copy, is_verified)) = &mut node.disk.copy else { return Ok(failed("there is no copy")) };
        if let Err(reason) = if is_skipped { Ok(()) } else { copy.verify(&self.genesis) } {
            return if copy.is_damaged { Ok(failed(reason)) } else { Err(Violation::Verdict { node: place, reason }) };
        }
        if copy.is_damaged {
            let reason = "a damaged copy is found good".to_owned();
            return Err(Violation::Verdict { node: place, reason });
        }
        *is_verified = true;
        if self.take_trouble(place, |it| *it == Trouble::DamageAfterVerification).is_some()
            && let Some((copy, _)) = &mut self.nodes[place].disk.copy
        {
            let what = damage(copy, &mut self.rng);
            copy.is_damaged = true;
            self.tell(|_| format!("node {place}: the verified copy is damaged: {what}"));
        }
        Ok(done())
    }

    fn cut_over(&mut self, place: usize) -> Result<Outcome, Violation> {
        let node = &mut self.nodes[place];
        match node.disk.copy.take() {
            Some((copy, true)) => {
                node.disk.kept = Some((std::mem::replace(&mut node.disk.stores, copy), node.tip));
                self.stores_changed(place)?;
                Ok(done())
            }
            other => {
                node.disk.copy = other;
                Ok(failed("the copy is not verified"))
            }
        }
    }

    fn start_by_order(&mut self, place: usize) -> Result<Outcome, Violation> {
        let is_new = self.nodes[place].disk.stores.format == Format::New;
        if is_new && self.take_trouble(place, |it| *it == Trouble::DoesNotStart).is_some() {
            return Ok(failed("exit code 1"));
        }
        let node = &mut self.nodes[place];
        node.is_stopped = false;
        node.disk.copy = None;
        self.start(place)?;
        if self.nodes[place].validator.is_some() {
            return Ok(done());
        }
        self.nodes[place].is_stopped = true;
        Ok(failed("exit code 1"))
    }

    fn roll_back(&mut self, place: usize) -> Result<Outcome, Violation> {
        let node = &mut self.nodes[place];
        match node.disk.kept.take() {
            Some((kept, tip)) if tip >= node.tip => {
                node.disk.stores = kept;
                self.stores_changed(place)?;
                Ok(done())
            }
            Some(kept) => {
                node.disk.kept = Some(kept);
                Ok(Outcome::WouldLose { reason: "its tip is ahead of the old one's".to_owned() })
            }
            None => Ok(failed("there is nothing to go back to")),
        }
    }

    fn migrate_back(&mut self, place: usize) -> Result<Outcome, Violation> {
        let node = &mut self.nodes[place];
        let converted = match node.disk.stores.converted(Format::Old) {
            Ok(converted) => converted,
            Err(error) => return Ok(failed(error.to_string())),
        };
        match (converted.verify(&self.genesis), converted.is_damaged) {
            (Ok(()), false) => {
                node.disk.stores = converted;
                node.disk.kept = None;
                self.stores_changed(place)?;
                Ok(done())
            }
            (Err(reason), true) => Ok(failed(reason)),
            (Err(reason), false) => Err(Violation::Verdict { node: place, reason }),
            (Ok(()), true) => {
                let reason = "damaged databases are found good".to_owned();
                Err(Violation::Verdict { node: place, reason })
            }
        }
    }

    /// The node will greet its peers anew, and attest anew.
    pub(in crate::sim) fn stores_changed(&mut self, place: usize) -> Result<(), Violation> {
        self.nodes[place].attested = None;
        self.wires = Wires::of(&self.nodes, &self.genesis.chain_id).map_err(|reason| Violation::Wires { reason })?;
        Ok(())
    }

    /// A trouble that waits for this node, once.
    fn take_trouble(&mut self, place: usize, which: impl Fn(&Trouble) -> bool) -> Option<Trouble> {
        let troubles = &mut self.schedule.troubles;
        let at = troubles.iter().position(|(node, trouble)| *node == place && which(trouble))?;
        Some(troubles.remove(at).1)
    }
}

fn done() -> Outcome {
    Outcome::Done { report: String::new() }
}
