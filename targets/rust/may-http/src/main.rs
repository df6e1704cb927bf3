//! The seed's other rival without a framework: httparse and `format!` on may, one stackful coroutine per connection.

use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, IntoRawFd};

use may::go;
use may::net::{TcpListener, TcpStream};
use mini_http::{response, take_request, READ_SIZE};
use target_cli::{port_of, Body, Options};

fn main() {
    let options = Options::read();
    let body = options.body;
    // may pins workers to cores by default; no other variant is pinned.
    may::config().set_workers(options.threads).set_worker_pin(false);
    let listener = options.listener();
    let port = port_of(&listener);
    // SAFETY: the descriptor is a listening TCP socket and has no other owner.
    let listener = unsafe { TcpListener::from_raw_fd(listener.into_raw_fd()) };
    let accepting = go!(move || {
        for stream in listener.incoming().flatten() {
            // An error here concerns no one but this peer, which sees its connection closed.
            go!(move || serve(stream, body).unwrap_or_default());
        }
    });
    options.announce(port);
    accepting.join().expect("accepting never ends");
}

fn serve(mut stream: TcpStream, body: Body) -> io::Result<()> {
    let mut input = Vec::new();
    let mut path = String::new();
    loop {
        while take_request(&mut input, &mut path)? {
            stream.write_all(response(body, &path).as_bytes())?;
        }
        let mut chunk = vec![0; READ_SIZE];
        match stream.read(&mut chunk)? {
            0 => return Ok(()),
            length => input.extend_from_slice(&chunk[..length]),
        }
    }
}
