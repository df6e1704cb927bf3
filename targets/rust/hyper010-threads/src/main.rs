//! The control of `hyper010-may`: the same hyper 0.10 on OS threads, through hyper's own server.

use hyper::header::{ContentType, Server as ServerHeader};
use hyper::mime::{Mime, SubLevel, TopLevel};
use hyper::net::HttpListener;
use hyper::server::{Request, Response, Server};
use target_cli::{port_of, Body, Options, EQUAL_BODY, EQUAL_SERVER};

/// A thread of hyper's pool keeps its connection until that closes, so a pool of N serves N connections and lets
/// the others wait without a word. `--threads 1` under 20 connections would measure one of them: hence a floor.
const SMALLEST_POOL: usize = 64;

fn main() {
    let options = Options::read();
    let pool = options.threads.max(SMALLEST_POOL);
    let listener = options.listener();
    let port = port_of(&listener);
    let server = Server::new(HttpListener::from(listener));
    let body = options.body;
    let listening = server.handle_threads(move |_: Request, response: Response| send(response, body), pool);
    options.announce(port);
    drop(listening.expect("a bound listener has an address")); // dropping joins the pool, which never ends
}

/// 88 bytes as in the seed, or the common response. hyper adds Content-Length and Date.
fn send(mut response: Response, body: Body) {
    let sent = match body {
        Body::Seed => response.send(b"Hello World!"),
        Body::Equal => {
            let headers = response.headers_mut();
            headers.set(ServerHeader(EQUAL_SERVER.to_owned()));
            headers.set(ContentType(Mime(TopLevel::Text, SubLevel::Plain, vec![])));
            response.send(EQUAL_BODY.as_bytes())
        }
    };
    let _ = sent; // a peer that has gone is no news: hyper closes the connection
}
