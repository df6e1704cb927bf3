//! The seed's "coroutine version": hyper 0.10's blocking HTTP code on may, one stackful coroutine per connection.
//!
//! The seed used a fork of hyper whose own server ran on may. `hyper::server::Server` runs its accept pool on OS
//! threads and cannot host coroutines, so the keep-alive loop is ours, on hyper's public request and response.

mod connection;
mod stream;

use std::os::fd::{FromRawFd, IntoRawFd};

use may::go;
use may::net::TcpListener;
use target_cli::{port_of, Options};

fn main() {
    let options = Options::read();
    let body = options.body;
    may::config()
        .set_workers(options.threads)
        .set_stack_size(0x2000) // in 8-byte words: 64 KiB, the seed's
        .set_worker_pin(false); // may pins workers to cores by default; no other variant is pinned
    let listener = options.listener();
    let port = port_of(&listener);
    // SAFETY: the descriptor is a listening TCP socket and has no other owner.
    let listener = unsafe { TcpListener::from_raw_fd(listener.into_raw_fd()) };
    let accepting = go!(move || {
        for stream in listener.incoming().flatten() {
            go!(move || connection::serve(stream, body));
        }
    });
    options.announce(port);
    accepting.join().expect("accepting never ends");
}
