//! The seed's "future version": hyper 0.11 on tokio-core, one reactor per thread.
//!
//! `fixed/` builds this same file against hyper 0.11.16, the release that no longer zeroes its read buffer.

use futures::{Future, Stream};
use hyper::header::{ContentLength, ContentType, Server};
use hyper::mime;
use hyper::server::{service_fn, Http, Request, Response};
use target_cli::{Body, Options, EQUAL_BODY, EQUAL_SERVER};
use tokio_core::net::TcpListener;
use tokio_core::reactor::Core;

fn main() {
    let options = Options::read();
    let body = options.body;
    // One thread by design; more are more reactors on one port.
    options.run_per_thread(move |listener| serve(listener, body));
}

fn serve(listener: std::net::TcpListener, body: Body) {
    let mut core = Core::new().expect("a reactor");
    let handle = core.handle();
    let address = listener.local_addr().expect("a listening socket has an address");
    let listener = TcpListener::from_listener(listener, &address, &handle).expect("the reactor takes the listener");
    // What `Server::run` does, on a listener of our own: `Http::bind` cannot share a port between threads.
    let http: Http = Http::new();
    let accepting = listener.incoming().for_each(|(stream, _peer)| {
        let service = service_fn(move |_: Request| Ok(response(body)));
        // An error here concerns no one but this peer, which sees its connection closed.
        handle.spawn(http.serve_connection(stream, service).map(|_| ()).map_err(|_| ()));
        Ok(())
    });
    core.run(accepting).expect("accepting never ends");
}

/// 129 bytes as in the seed, or the common response. hyper adds Date.
fn response(body: Body) -> Response {
    match body {
        Body::Seed => {
            let text = "Hello World!";
            Response::new()
                .with_header(ContentLength(text.len() as u64))
                .with_header(ContentType::plaintext())
                .with_body(text)
        }
        Body::Equal => Response::new()
            .with_header(Server::new(EQUAL_SERVER))
            .with_header(ContentLength(EQUAL_BODY.len() as u64))
            .with_header(ContentType(mime::TEXT_PLAIN))
            .with_body(EQUAL_BODY),
    }
}
