//! Any bytes as what a server sends: frames of version 2, each with its length before it, or a response of version 1.
//! Never a panic, and every block that comes out is what its head names.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use proto::hello::Heights;
use shim::own::blocks::{BlockHead, Check, PartSet, Receiver, Rejection, one};
use shim::source::OfferedBlock;

struct Asserts;

impl Check for Asserts {
    fn head(&mut self, head: &BlockHead) -> Result<(), Rejection> {
        if head.hash[0] == 0xff { Err(Rejection::new("no")) } else { Ok(()) }
    }

    fn block(&mut self, head: &BlockHead, block: OfferedBlock) -> Result<(), Rejection> {
        assert_eq!(PartSet::new(block.block.clone()).head(&block).as_ref(), Some(head));
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let _ = one::take(1, Bytes::copy_from_slice(bytes), &mut Asserts);
    let mut receiver = Receiver::new(Heights::new(1, 3).expect("heights"));
    receiver.begin();
    let mut rest = Bytes::copy_from_slice(bytes);
    while let Ok(length) = prost::decode_length_delimiter(&mut rest) {
        if length > rest.len() {
            break;
        }
        if receiver.take(rest.split_to(length), &mut Asserts).is_err() {
            receiver.begin();
        }
    }
});
