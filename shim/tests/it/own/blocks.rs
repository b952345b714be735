//! The block exchange without a network: every break, change and lie that a stream can bring.

use bytes::Bytes;
use prost::Message;
use proto::hello::Heights;
use proto::wire::blocks2::{Compressed, Frame, Head, Part, Piece, Pieces, Request, frame, piece};
use shim::own::blocks::{Code, Fault, Progress, Receiver, Refusal, Sender, one};
use shim::own::limits::{FRAME_BYTES_MAX, FRAME_EXPANDED_MAX, PART_BYTES};
use shim::source::{BlockSource, Offer};

use super::support::{Chain, Random, Remember};

const SIZES: [usize; 9] =
    [1, 700, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES - 5, 2, 20 * PART_BYTES, 65, 40 * PART_BYTES + 9];

fn heights(base: u64, top: u64) -> Heights {
    Heights::new(base, top).expect("heights")
}

/// All frames that answer a request.
fn frames(chain: &Chain, request: &Request) -> Vec<Bytes> {
    let mut sender = Sender::new(request, chain.offer()).expect("offered");
    std::iter::from_fn(|| sender.next_frame(chain).map(Bytes::from)).collect()
}

/// Takes frames until one is refused or they end.
fn take(receiver: &mut Receiver, frames: &[Bytes], check: &mut Remember) -> Result<Progress, Fault> {
    frames.iter().try_fold(Progress::More, |_, frame| receiver.take(frame.clone(), check))
}

#[test]
fn all_blocks_come_as_they_are() {
    let chain = Chain::new(1, &SIZES);
    let (mut receiver, mut check) = (Receiver::new(heights(1, 9)), Remember::default());
    let request = receiver.begin();
    let frames = frames(&chain, &request);
    assert!(frames.iter().all(|frame| frame.len() <= FRAME_BYTES_MAX));
    assert_eq!(take(&mut receiver, &frames, &mut check), Ok(Progress::Done));
    assert!(receiver.is_complete());
    assert_eq!(check.blocks, chain.blocks);
}

#[test]
fn many_small_blocks_share_a_frame() {
    let chain = Chain::new(2, &[900; 2_000]);
    let frames = frames(&chain, &Request { first: 1, last: 2_000, first_part: 0 });
    assert!(frames.len() <= 4, "{} frames", frames.len());
}

#[test]
fn a_stream_that_breaks_anywhere_is_resumed_without_a_part_twice() {
    let chain = Chain::new(3, &SIZES);
    for seed in 0..200 {
        let mut random = Random(seed);
        let (mut receiver, mut check) = (Receiver::new(heights(1, 9)), Remember::default());
        let mut streams = 0;
        let done = loop {
            streams += 1;
            assert!(streams < 100, "no progress");
            let request = receiver.begin();
            let (height, part) = receiver.parts_taken();
            assert_eq!((request.first, request.first_part), (height, part));
            let frames = frames(&chain, &request);
            let few = if streams > 50 { frames.len() } else { random.below(frames.len() + 1) };
            match take(&mut receiver, &frames[..few], &mut check).expect("honest frames") {
                Progress::Done => break true,
                Progress::More => assert!(receiver.parts_taken() >= (height, part)),
            }
        };
        assert!(done && check.blocks == chain.blocks, "seed {seed}");
    }
}

#[test]
fn a_part_that_is_changed_moved_or_missing_is_never_kept() {
    let chain = Chain::new(4, &[5 * PART_BYTES + 3]);
    let honest = pieces(&chain);
    let parts: Vec<usize> =
        (0..honest.len()).filter(|at| matches!(honest[*at].kind, Some(piece::Kind::Part(_)))).collect();
    for seed in 0..300 {
        let mut random = Random(seed);
        let mut pieces = honest.clone();
        let (at, other) = (parts[random.below(parts.len())], parts[random.below(parts.len())]);
        match random.below(5) {
            0 => change(&mut pieces[at], |part| flip(&mut part.bytes, &mut random)),
            1 => change(&mut pieces[at], |part| flip(&mut part.aunts, &mut random)),
            2 => change(&mut pieces[at], |part| part.index = (part.index + 1 + random.below(9) as u32) % 1_000),
            3 if at != other => pieces.swap(at, other),
            _ => drop(pieces.remove(at.min(parts[parts.len() - 2]))),
        }
        let (mut receiver, mut check) = (Receiver::new(heights(1, 1)), Remember::default());
        receiver.begin();
        let frame = encode(frame::Kind::Pieces(Pieces { pieces }));
        let fault = receiver.take(frame, &mut check).expect_err("a changed part");
        assert!(matches!(fault, Fault::Part { .. } | Fault::Proof { .. } | Fault::Malformed { .. }), "{fault}");
        assert!(check.blocks.is_empty());
        // What was proven before the changed part stays, and an honest peer completes it.
        let request = receiver.begin();
        assert_eq!(take(&mut receiver, &frames(&chain, &request), &mut check), Ok(Progress::Done), "seed {seed}");
        assert_eq!(check.blocks, chain.blocks);
    }
}

fn encode(kind: frame::Kind) -> Bytes {
    Frame { kind: Some(kind) }.encode_to_vec().into()
}

/// The pieces of the first block.
fn pieces(chain: &Chain) -> Vec<Piece> {
    let frames = frames(chain, &Request { first: 1, last: 1, first_part: 0 });
    match Frame::decode(frames[0].clone()).expect("a frame").kind {
        Some(frame::Kind::Pieces(pieces)) => pieces.pieces,
        other => panic!("{other:?}"),
    }
}

fn change(piece: &mut Piece, change: impl FnOnce(&mut Part)) {
    match &mut piece.kind {
        Some(piece::Kind::Part(part)) => change(part),
        other => panic!("{other:?}"),
    }
}

fn flip(bytes: &mut Bytes, random: &mut Random) {
    let mut changed = bytes.to_vec();
    let at = random.below(changed.len());
    changed[at] ^= 1 << random.below(8);
    *bytes = changed.into();
}

#[test]
fn any_changed_byte_of_a_stream_ends_in_a_fault_or_in_parts_of_the_head() {
    let chain = Chain::new(5, &[300, 2 * PART_BYTES + 100, 40]);
    let mut faults = 0;
    for seed in 0..2_000 {
        let mut random = Random(seed);
        let (mut receiver, mut check) = (Receiver::new(heights(1, 3)), Remember::default());
        let mut frames = frames(&chain, &receiver.begin());
        let at = random.below(frames.len());
        flip(&mut frames[at], &mut random);
        // What is delivered is what its head names: the check asserts it.
        faults += usize::from(take(&mut receiver, &frames, &mut check).is_err());
    }
    assert!(faults > 1_500, "{faults} faults");
}

#[test]
fn another_block_at_the_height_of_a_resumed_one_starts_anew() {
    let (ours, theirs) = (Chain::new(6, &[30 * PART_BYTES]), Chain::new(7, &[30 * PART_BYTES]));
    let (mut receiver, mut check) = (Receiver::new(heights(1, 1)), Remember::default());
    let request = receiver.begin();
    take(&mut receiver, &frames(&ours, &request)[..1], &mut check).expect("honest");
    assert!(receiver.parts_taken().1 > 0);

    let request = receiver.begin();
    let fault = take(&mut receiver, &frames(&theirs, &request), &mut check);
    assert_eq!(fault, Err(Fault::HeadChanged { height: 1 }));
    let request = receiver.begin();
    assert_eq!(request.first_part, 0);
    assert_eq!(take(&mut receiver, &frames(&theirs, &request), &mut check), Ok(Progress::Done));
    assert_eq!(check.blocks, theirs.blocks);
}

#[test]
fn what_the_owner_rejects_ends_the_stream_and_can_come_from_another_peer() {
    let chain = Chain::new(8, &[10, 3 * PART_BYTES, 10]);
    for is_head in [true, false] {
        let (mut receiver, mut check) = (Receiver::new(heights(1, 3)), Remember::default());
        (check.reject_head, check.reject_block) = if is_head { (Some(2), None) } else { (None, Some(2)) };
        let request = receiver.begin();
        let fault = take(&mut receiver, &frames(&chain, &request), &mut check).expect_err("rejected");
        assert!(matches!(&fault, Fault::Rejected { height: 2, .. }), "{fault}");
        assert_eq!(check.blocks.len(), 1);
        (check.reject_head, check.reject_block) = (None, None);
        let request = receiver.begin();
        assert_eq!(request, Request { first: 2, last: 3, first_part: 0 });
        assert_eq!(take(&mut receiver, &frames(&chain, &request), &mut check), Ok(Progress::Done));
        assert_eq!(check.blocks, chain.blocks);
    }
}

#[test]
fn a_request_for_what_is_not_there_is_refused_in_words() {
    let offer = Some(Offer { base: 5, top: 9 });
    let refusal = |first, last, offer| match Sender::new(&Request { first, last, first_part: 0 }, offer) {
        Err(refusal) => refusal,
        Ok(_) => panic!("{first} to {last}"),
    };
    assert_eq!(refusal(4, 6, offer).to_string(), "heights 4 to 6 are not offered: 5 to 9 are; ask for those");
    assert_eq!(refusal(9, 10, offer).offer, offer);
    assert_eq!(refusal(1, 1, None).to_string(), "height 1 is not offered: nothing is, at present; ask again later");
    for (first, last) in [(0, 5), (6, 5), (1, 1_000_001), (1, u64::MAX)] {
        assert_eq!(refusal(first, last, offer).code, Code::BadRequest);
    }
    let chain = Chain::new(9, &[10]);
    let mut sender = Sender::new(&Request { first: 1, last: 1, first_part: 2 }, chain.offer()).expect("offered");
    let frame = sender.next_frame(&chain).expect("a refusal");
    let (mut receiver, mut check) = (Receiver::new(heights(1, 1)), Remember::default());
    receiver.begin();
    assert!(matches!(
        receiver.take(frame.into(), &mut check),
        Err(Fault::Refused(Refusal { code: Code::BadRequest, .. }))
    ));
    assert_eq!(sender.next_frame(&chain), None);
}

#[test]
fn a_block_that_cannot_be_read_ends_the_stream_after_those_before_it() {
    let mut chain = Chain::new(10, &[10, 20, 30, 40]);
    chain.damaged.push(3);
    let (mut receiver, mut check) = (Receiver::new(heights(1, 4)), Remember::default());
    let request = receiver.begin();
    let fault = take(&mut receiver, &frames(&chain, &request), &mut check).expect_err("height 3 is damaged");
    let words = "the peer refused: height 3 cannot be offered: part 0: checksum mismatch";
    assert_eq!(fault.to_string(), words);
    assert_eq!(check.blocks, chain.blocks[..2]);
}

#[test]
fn each_malformed_stream_has_its_reason() {
    let chain = Chain::new(11, &[PART_BYTES + 1, 9, 12]);
    let honest = pieces(&chain);
    let fault = |frame: Bytes| {
        let mut receiver = Receiver::new(heights(1, 3));
        receiver.begin();
        receiver.take(frame, &mut Remember::default()).expect_err("malformed").to_string()
    };
    let of_pieces = |pieces: &[Piece]| fault(encode(frame::Kind::Pieces(Pieces { pieces: pieces.to_vec() })));
    assert_eq!(of_pieces(&[]), "the peer sent a frame without pieces");
    assert_eq!(of_pieces(&honest[1..]), "the peer sent a piece out of its place");
    assert_eq!(of_pieces(&[honest[0].clone(), honest[0].clone()]), "the peer sent a piece out of its place");
    assert_eq!(of_pieces(&[Piece { kind: None }]), "the peer sent an unknown piece");
    assert_eq!(fault(Bytes::new()), "the peer sent a frame without a known content");
    assert_eq!(fault(Bytes::from_static(b"\xff\xff")), "the peer sent a frame that does not decode");
    assert_eq!(fault(vec![0; FRAME_BYTES_MAX + 1].into()), "the peer sent a frame that is too long");
    let twice = [pieces(&Chain::new(12, &[5])), pieces(&Chain::new(12, &[5]))].concat();
    assert_eq!(of_pieces(&twice), "the peer sent height 1, expected 2");

    let head = |change: fn(&mut Head)| match honest[0].kind.clone() {
        Some(piece::Kind::Head(mut head)) => {
            change(&mut head);
            of_pieces(&[Piece { kind: Some(piece::Kind::Head(head)) }])
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(head(|head| head.height = 2), "the peer sent height 2, expected 1");
    assert_eq!(head(|head| head.hash.clear()), "the peer sent a block hash that is not of 32 bytes");
    assert!(head(|head| head.part_count = 3).contains("with 3 parts, 65537 bytes of block"));
    assert!(head(|head| (head.part_count, head.block_bytes) = (0, 0)).contains("which is no block"));
    assert!(head(|head| (head.part_count, head.block_bytes) = (65_536, u32::MAX)).contains("which is no block"));
    assert!(head(|head| head.extended_commit_bytes = Some(u32::MAX)).contains("which is no block"));
}

#[test]
fn a_frame_cannot_expand_beyond_its_bound() {
    let fault = |compressed: Compressed| {
        let mut receiver = Receiver::new(heights(1, 3));
        receiver.begin();
        receiver
            .take(encode(frame::Kind::Compressed(compressed)), &mut Remember::default())
            .expect_err("refused")
            .to_string()
    };
    let mut zstd = vec![0; 1_000_000];
    let zeros = vec![0; 2 * FRAME_EXPANDED_MAX];
    let length = zstd_safe::compress(&mut zstd[..], &zeros, 1).expect("compresses");
    zstd.truncate(length);
    let compressed = |expanded_bytes| Compressed { expanded_bytes, zstd: zstd.clone().into() };
    let wrong = "the peer sent a compressed frame that does not expand to the size announced";
    assert_eq!(fault(compressed(u32::MAX)), "the peer sent a frame that expands to too much");
    assert_eq!(fault(compressed(FRAME_EXPANDED_MAX as u32)), wrong);
    assert_eq!(fault(Compressed { expanded_bytes: 5, zstd: Bytes::from_static(b"hello") }), wrong);
    // Two MiB of the smallest pieces there are: none is a piece, and none is decoded after the first.
    let tiny = [0x0a, 0x00].repeat(FRAME_EXPANDED_MAX / 2);
    let mut zstd = vec![0; 1_000_000];
    let length = zstd_safe::compress(&mut zstd[..], &tiny, 1).expect("compresses");
    let frame = Compressed { expanded_bytes: tiny.len() as u32, zstd: zstd[..length].to_vec().into() };
    assert_eq!(fault(frame), "the peer sent an unknown piece");
}

#[test]
fn version_1_brings_the_same_blocks_one_by_one() {
    let mut chain = Chain::new(12, &SIZES);
    let mut check = Remember::default();
    for height in 1..=9 {
        let response = one::answer(&one::request(height), &chain).expect("offered");
        one::take(height, response.into(), &mut check).expect("honest");
    }
    assert_eq!(check.blocks, chain.blocks);

    let refused = |height, chain: &Chain| {
        let (response, refusal) = one::answer(&one::request(height), chain).expect_err("refused");
        let fault = one::take(height, response.into(), &mut Remember::default());
        assert_eq!(fault, Err(Fault::Refused(refusal.clone())));
        refusal.code
    };
    assert_eq!(refused(10, &chain), Code::NotOffered);
    chain.damaged.push(4);
    assert_eq!(refused(4, &chain), Code::Source);
    let other = one::answer(&one::request(2), &chain).expect("offered");
    let fault = one::take(3, other.into(), &mut Remember::default());
    assert_eq!(fault, Err(Fault::Height { expected: 3, actual: 2 }));
    assert!(matches!(one::answer(&[0xff], &chain), Err((_, Refusal { code: Code::BadRequest, .. }))));
    let malformed = one::take(1, Bytes::from_static(b"\xff"), &mut Remember::default());
    assert!(matches!(malformed, Err(Fault::Malformed { .. })));
}
