//! What the engine wants done, effect by effect.
//!
//! While an effect is handled the engine's state is lent out: nothing is fed here, inputs go into the queue.

use mbft::{ConsensusMsg, Effect, Input, LivenessMsg, Resumable, Resume, SignedConsensusMsg};
use mbft_types::{CertificateError, SignedMessage, Timeout};

use super::host::Host;
use super::output::{Complaint, Output, Receiver};
use super::timers::Armed;
use crate::chain::PublicKey;
use crate::consensus::ballot::{Proposal, SignedProposal, SignedVote, Vote, number};
use crate::consensus::certificates;
use crate::consensus::context::Testnet;
use crate::consensus::signer::Refusal;
use crate::consensus::wire::{Message, WalRecord};

impl Host {
    /// Handles one effect. An error ends the input that caused it: the signer refused.
    pub(super) fn effect(&mut self, effect: Effect<Testnet>) -> Result<Resume<Testnet>, Refusal> {
        let (thresholds, crypto) = (self.thresholds(), self.state.rules.crypto);
        Ok(match effect {
            Effect::CancelAllTimeouts(resume) => {
                self.timers.cancel(|armed| matches!(armed, Armed::Engine(_)));
                resume.resume_with(())
            }
            Effect::CancelTimeout(timeout, resume) => {
                self.timers.cancel(|armed| *armed == Armed::Engine(timeout));
                resume.resume_with(())
            }
            Effect::ScheduleTimeout(timeout, resume) => {
                self.arm(Armed::Engine(timeout));
                resume.resume_with(())
            }
            Effect::StartRound(_, _, _, _, resume) => {
                self.outputs.push(Output::SyncWal);
                resume.resume_with(())
            }
            Effect::GetValue(_, round, _, resume) => {
                if self.replayed.is_some() {
                    self.wanted = Some(round)
                } else {
                    self.propose(round)
                }
                resume.resume_with(())
            }
            Effect::SignVote(vote, resume) => resume.resume_with(self.sign_vote(vote)?),
            Effect::SignProposal(proposal, resume) => resume.resume_with(self.sign_proposal(proposal)?),
            Effect::VerifySignature(message, key, resume) => resume.resume_with(self.holds(&message, &key)),
            Effect::WalAppend(height, input, resume) => {
                self.log_input(height.0, input);
                resume.resume_with(())
            }
            Effect::PublishConsensusMsg(message, resume) => {
                self.publish(message);
                resume.resume_with(())
            }
            Effect::PublishLivenessMsg(message, resume) => {
                self.send(
                    Receiver::All,
                    match message {
                        LivenessMsg::Vote(vote) => Message::Vote(vote),
                        LivenessMsg::PolkaCertificate(certificate) => Message::PolkaCertificate(certificate),
                        LivenessMsg::SkipRoundCertificate(certificate) => Message::RoundCertificate(certificate),
                    },
                );
                resume.resume_with(())
            }
            Effect::RepublishVote(vote, resume) => {
                self.send(Receiver::All, Message::Vote(vote));
                resume.resume_with(())
            }
            Effect::RepublishRoundCertificate(certificate, resume) => {
                self.send(Receiver::All, Message::RoundCertificate(certificate));
                resume.resume_with(())
            }
            Effect::RestreamProposal(_, round, _, _, id, resume) => {
                self.send_parts(id, number(round));
                resume.resume_with(())
            }
            Effect::VerifyPolkaCertificate(certificate, validators, _, resume) => {
                let chain_id = &self.state.chain_id;
                resume.resume_with(certificates::polka(&certificate, &validators, thresholds, chain_id, crypto))
            }
            Effect::VerifyRoundCertificate(certificate, validators, _, resume) => {
                let chain_id = &self.state.chain_id;
                resume.resume_with(certificates::round(&certificate, &validators, thresholds, chain_id, crypto))
            }
            // Made by the engine from votes that it has checked.
            Effect::VerifyCommitCertificate(_, _, _, resume) => resume.resume_with(Ok(())),
            Effect::Decide(certificate, _, resume) => {
                self.decide(certificate);
                resume.resume_with(())
            }
            Effect::Finalize(certificate, _, evidence, resume) => {
                let votes = evidence.votes.iter().map(|(address, _)| *address);
                let proposals = evidence.proposals.iter().map(|(address, _)| *address);
                for address in votes.chain(proposals).collect::<Vec<_>>() {
                    self.complain(Complaint::Equivocation { address, height: certificate.height.0 });
                }
                self.arm(Armed::Commit);
                resume.resume_with(())
            }
            // Blocks are caught up past the engine, so that it never gets an answer to judge.
            Effect::VerifyExtendedCommitCertificate(_, _, _, _, resume) => {
                resume.resume_with(Err(CertificateError::VerificationError(None)))
            }
            Effect::CertVerifiedSyncValue(_, _, resume) | Effect::CertRejectedSyncValue(_, _, _, resume) => {
                resume.resume_with(())
            }
            // Votes have no extensions.
            Effect::ExtendVote(_, _, _, _, resume) => resume.resume_with(None),
            Effect::VerifyVoteExtension(_, _, _, _, _, _, resume) => resume.resume_with(Ok(())),
        })
    }

    fn sign_vote(&mut self, vote: Vote) -> Result<SignedVote, Refusal> {
        let time = self.vote_time(vote.block());
        let signature = self.signer.vote(&self.state.chain_id, &vote, time);
        let signature = signature.inspect_err(|refusal| self.refused(*refusal))?;
        self.save_signer();
        Ok(SignedVote::new(vote, signature))
    }

    fn sign_proposal(&mut self, proposal: Proposal) -> Result<SignedProposal, Refusal> {
        let signature = self.signer.proposal(&self.state.chain_id, &proposal, self.now);
        let signature = signature.inspect_err(|refusal| self.refused(*refusal))?;
        self.save_signer();
        Ok(SignedProposal::new(proposal, signature))
    }

    /// Makes last what was signed, after the log that led to it: a signer that is further than the log would refuse
    /// what the log brings it to sign again, and a validator that is needed would never vote in that round.
    fn save_signer(&mut self) {
        self.outputs.push(Output::SyncWal);
        self.outputs.push(Output::SaveSigner(self.signer.last().clone()));
    }

    fn refused(&mut self, refusal: Refusal) {
        self.has_refused = true;
        self.complain(Complaint::Refused(refusal));
    }

    fn holds(&self, signed: &SignedMessage<Testnet, ConsensusMsg<Testnet>>, key: &PublicKey) -> bool {
        let (chain_id, time) = (&self.state.chain_id, signed.signature.time);
        let bytes = match &signed.message {
            ConsensusMsg::Vote(vote) => vote.sign_bytes(chain_id, time),
            ConsensusMsg::Proposal(proposal) => proposal.sign_bytes(chain_id, time),
        };
        self.state.rules.crypto.holds(key, &bytes, &signed.signature.bytes)
    }

    fn log_input(&mut self, height: u64, input: Input<Testnet>) {
        if height != self.height {
            return;
        }
        let record = match input {
            Input::Vote(vote) => WalRecord::Vote(vote),
            Input::Proposal(proposal) => WalRecord::Proposal(proposal),
            Input::PolkaCertificate(certificate) => WalRecord::PolkaCertificate(certificate),
            Input::ProposedValue(value, _) => WalRecord::Value(value),
            Input::TimeoutElapsed(timer @ Timeout { .. }) => WalRecord::Timer(timer),
            // The engine logs no others.
            _ => return,
        };
        self.log_new(&record);
    }

    /// Sends an own message, after all that it rests on is on the disk.
    fn publish(&mut self, message: SignedConsensusMsg<Testnet>) {
        self.outputs.push(Output::SyncWal);
        match message {
            SignedConsensusMsg::Vote(vote) => self.send(Receiver::All, Message::Vote(vote)),
            SignedConsensusMsg::Proposal(proposal) => {
                // A block that was proposed before is sent by `RestreamProposal`.
                if proposal.message.pol_round.is_nil() {
                    self.send_parts(proposal.message.value, number(proposal.message.round));
                }
                self.send(Receiver::All, Message::Proposal(proposal));
            }
        }
    }
}
