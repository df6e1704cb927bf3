//! The one response that every server sends under `--body equal`: 126 bytes, the same five lines in every
//! server. Their order, and nothing else, is the framework's:
//!
//! ```text
//! HTTP/1.1 200 OK
//! Server: M
//! Date: Sun, 06 Nov 1994 08:49:37 GMT
//! Content-Length: 13
//! Content-Type: text/plain
//!
//! Hello, World!
//! ```
//! `Server: M` is there because may_minihttp always sends it and offers no way to leave it out. It also writes
//! `200 Ok` for `200 OK`: same length, and the only letter that differs.

pub const EQUAL_SERVER: &str = "M";
pub const EQUAL_BODY: &str = "Hello, World!";
