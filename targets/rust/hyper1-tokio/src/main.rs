//! The modern future version: hyper 1 on a current-thread tokio runtime, one per thread.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, SERVER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use target_cli::{Body, Options, EQUAL_BODY, EQUAL_SERVER};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::{self, LocalSet};

fn main() {
    let options = Options::read();
    let body = options.body;
    options.run_per_thread(move |listener| {
        let runtime = Builder::new_current_thread().enable_io().build().expect("a runtime");
        LocalSet::new().block_on(&runtime, accept(listener, body)).expect("accepting never ends");
    });
}

async fn accept(listener: std::net::TcpListener, body: Body) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let mut http = http1::Builder::new();
    // hyper 1 writes header names in lower case unless asked: same length, but not the common response.
    http.title_case_headers(body == Body::Equal);
    loop {
        let (stream, _peer) = listener.accept().await?;
        let service = service_fn(move |_: Request<Incoming>| async move { Ok::<_, Infallible>(response(body)) });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        // An error here concerns no one but this peer, which sees its connection closed.
        task::spawn_local(async move { connection.await.unwrap_or_default() });
    }
}

/// 129 bytes, the headers that `hyper011-future` sets and sends, or the common response. hyper adds what is missing
/// of Content-Length and Date. Every header set here costs some 700 instructions, so the choice is part of the result.
fn response(body: Body) -> Response<Full<Bytes>> {
    let (response, text) = match body {
        Body::Seed => {
            let text = "Hello World!";
            let response = Response::builder()
                .header(CONTENT_LENGTH, text.len())
                .header(CONTENT_TYPE, "text/plain; charset=utf-8");
            (response, text)
        }
        Body::Equal => {
            (Response::builder().header(SERVER, EQUAL_SERVER).header(CONTENT_TYPE, "text/plain"), EQUAL_BODY)
        }
    };
    response.body(Full::new(Bytes::from_static(text.as_bytes()))).expect("a well-formed response")
}
