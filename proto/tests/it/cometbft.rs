//! CometBFT's messages against bytes that real nodes sent: read, they say what the node said; written again,
//! they are the same bytes.
//!
//! `data/block-response.hex` is height 76 of four validators of v0.40.0, `data/block-response-extended.hex` height
//! 73 of one with vote extensions; both as they were on channel 0x40.

use std::fmt::Debug;

use prost::Message;
use proto::cometbft::blocksync::message::Sum;
use proto::cometbft::blocksync::{BlockRequest, NoBlockResponse, StatusRequest, StatusResponse};
use proto::cometbft::types::{Block, BlockIdFlag, Commit, ExtendedCommit};
use proto::cometbft::{blocksync, consensus, p2p};

#[track_caller]
fn check<M: Message + Default + PartialEq + Debug>(hex: &str, expected: &M) {
    let bytes = hex::decode(hex).expect("hex");
    assert_eq!(&M::decode(bytes.as_slice()).expect("a message"), expected);
    assert_eq!(hex::encode(expected.encode_to_vec()), hex);
}

#[test]
fn blocksync_says_what_nodes_say() {
    let message = |sum| blocksync::Message { sum: Some(sum) };
    check("2200", &message(Sum::StatusRequest(StatusRequest {})));
    check("2a04084c1001", &message(Sum::StatusResponse(StatusResponse { height: 76, base: 1 })));
    check("2a00", &message(Sum::StatusResponse(StatusResponse { height: 0, base: 0 })));
    check("0a020801", &message(Sum::BlockRequest(BlockRequest { height: 1 })));
    check("120508ffc1d72f", &message(Sum::NoBlockResponse(NoBlockResponse { height: 99_999_999 })));
}

fn block_response(hex: &str) -> blocksync::BlockResponse {
    let bytes = hex::decode(hex.trim()).expect("hex");
    let message = blocksync::Message::decode(bytes.as_slice()).expect("a message");
    assert_eq!(message.encode_to_vec(), bytes, "written again");
    match message.sum {
        Some(Sum::BlockResponse(response)) => response,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_block_and_its_last_commit_are_written_as_they_were_read() {
    let response = block_response(include_str!("data/block-response.hex"));
    assert_eq!(response.ext_commit, None);
    let block = Block::decode(response.block.clone()).expect("a block");
    assert_eq!(block.encode_to_vec(), response.block);
    let commit: Commit = block.last_commit.expect("not the first block");
    assert_eq!(commit.height, 75);
    assert_eq!(commit.signatures.len(), 4);
    assert!(commit.signatures.iter().all(|each| each.block_id_flag() == BlockIdFlag::Commit));
}

#[test]
fn an_extended_commit_is_written_as_it_was_read() {
    let response = block_response(include_str!("data/block-response-extended.hex"));
    let bytes = response.ext_commit.expect("extensions were enabled");
    let commit = ExtendedCommit::decode(bytes.clone()).expect("an extended commit");
    assert_eq!(commit.encode_to_vec(), bytes);
    assert_eq!((commit.height, commit.extended_signatures.len()), (73, 1));
    assert_eq!(commit.extended_signatures[0].extension_signature.len(), 64);
}

#[test]
fn consensus_says_what_nodes_say_and_leaves_out_what_it_does_not_know() {
    let step = consensus::NewRoundStep { height: 77, round: 0, step: 1, ..Default::default() };
    check("0a04084d1801", &consensus::Message { sum: Some(consensus::message::Sum::NewRoundStep(step)) });
    // VoteSetMaj23, field 8.
    check("", &consensus::Message { sum: None });
    let unknown = consensus::Message::decode(&[0x42, 0x02, 0x08, 0x01][..]).expect("a message");
    assert_eq!(unknown, consensus::Message { sum: None });
}

#[test]
fn packets_are_those_of_nodes() {
    use p2p::packet::Sum;
    let packet = |sum| p2p::Packet { sum: Some(sum) };
    check("0a00", &packet(Sum::PacketPing(p2p::PacketPing {})));
    check("1200", &packet(Sum::PacketPong(p2p::PacketPong {})));
    let status = p2p::PacketMsg { channel_id: 0x40, eof: true, data: vec![0x22, 0].into() };
    check("1a08084010011a022200", &packet(Sum::PacketMsg(status)));
}

#[test]
fn a_node_says_who_it_is_as_nodes_do() {
    let hex = "0a060808100b18011228333764376364336664326564383666613230646332393436393932393962633831613563353566661a15\
        7463703a2f2f3132372e302e302e313a3432363536220c636861696e2d5a42683737412a07302e33382e323632094020212223303860613a05\
        6e6f646530421b0a026f6e12157463703a2f2f3132372e302e302e313a3432363537";
    let info = p2p::NodeInfo {
        protocol_version: Some(p2p::ProtocolVersion { p2p: 8, block: 11, app: 1 }),
        default_node_id: "37d7cd3fd2ed86fa20dc294699299bc81a5c55ff".to_owned(),
        listen_addr: "tcp://127.0.0.1:42656".to_owned(),
        network: "chain-ZBh77A".to_owned(),
        version: "0.38.26".to_owned(),
        channels: vec![0x40, 0x20, 0x21, 0x22, 0x23, 0x30, 0x38, 0x60, 0x61].into(),
        moniker: "node0".to_owned(),
        other: Some(p2p::NodeInfoOther { tx_index: "on".to_owned(), rpc_address: "tcp://127.0.0.1:42657".to_owned() }),
    };
    check(hex, &info);
}
