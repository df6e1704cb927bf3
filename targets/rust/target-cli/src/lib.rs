//! The command line that every server in this workspace shares, and the two things that go with it:
//! binding a loopback port and saying on stdout that it is ready.

mod equal;
mod listen;
mod options;

pub use equal::{EQUAL_BODY, EQUAL_SERVER};
pub use listen::port_of;
pub use options::{Body, Options};
