//! The modern coroutine server: may_minihttp, which writes into buffers that it keeps and formats almost nothing.

use std::io;

use may_minihttp::{HttpServer, HttpService, Request, Response};
use target_cli::{port_of, Body, Options, EQUAL_BODY};

#[derive(Clone)]
struct Hello(Body);

impl HttpService for Hello {
    /// 100 bytes as in the crate's own example, or the common response. The crate adds Server, Date, Content-Length.
    fn call(&mut self, _request: Request, response: &mut Response) -> io::Result<()> {
        match self.0 {
            Body::Seed => response.body("Hello, World!"),
            Body::Equal => response.header("Content-Type: text/plain").body(EQUAL_BODY),
        }
        Ok(())
    }
}

fn main() {
    let options = Options::read();
    // may pins workers to cores by default; no other variant is pinned.
    may::config().set_workers(options.threads).set_worker_pin(false);
    // may_minihttp binds for itself, always with SO_REUSEPORT, and never tells the port. Binding without it first
    // picks the port, and fails where another server has it instead of sharing that server's load unseen.
    let port = port_of(&options.listener());
    let accepting = HttpServer(Hello(options.body)).start(("127.0.0.1", port)).expect("the port was free just now");
    options.announce(port);
    accepting.join().expect("accepting never ends");
}
