//! Any text inside good frames, as a peer says it that has proven its key: packets and messages within their limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shim::classic::multiplex::{ChannelSpec, Incoming, PACKET_BYTES_MAX, Receive, Unpacker};
use shim::classic::secret::SecretReader;
use shim::classic::secret::frame::{Opener, Sealer};
use shim::peering::Channel;

const KEY: [u8; 32] = [7; 32];
const LIMIT: usize = 1_000;

fuzz_target!(|input: (u16, &[u8])| {
    let (step, text) = input;
    let (mut sealer, mut sealed) = (Sealer::new(&KEY), Vec::new());
    for piece in text.chunks(usize::from(step) + 1) {
        sealer.seal(piece, &mut sealed).expect("few frames");
    }
    let channels = Channel::ALL.map(|channel| ChannelSpec::of_a_node(channel).receiving(Receive::UpTo(LIMIT)));
    let mut unpacker = Unpacker::new(&channels);
    let mut reader = SecretReader::new(Opener::new(&KEY));
    for bytes in sealed.chunks(usize::from(step % 4_096) + 1) {
        reader.push(bytes).expect("frames are good");
        loop {
            match reader.message(PACKET_BYTES_MAX) {
                Ok(Some(packet)) => match unpacker.take(packet) {
                    Ok(Some(Incoming::Message { payload, .. })) => assert!(payload.len() <= LIMIT),
                    Ok(_) => {}
                    Err(_) => return,
                },
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
});
