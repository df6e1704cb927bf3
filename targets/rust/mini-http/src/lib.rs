//! The HTTP of the servers that use no HTTP framework. `may-http`, `smol-mini` and `monoio-mini` share every line
//! of it, so that what differs between them is the runtime alone.

mod date;
mod request;
mod response;

pub use date::with_date;
pub use request::take_request;
pub use response::response;

/// What the seed's program reads at a time, into a buffer allocated and zeroed for every read.
pub const READ_SIZE: usize = 512;
