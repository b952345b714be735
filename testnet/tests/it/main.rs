//! The testnet from outside: homes on a disk, and judges that know nothing of it.

mod homes;
mod local;
mod solo;
