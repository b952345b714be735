//! CometBFT's stores: keys, values and the hashes that the chain signed.
