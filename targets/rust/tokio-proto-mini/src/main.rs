//! The seed's rival without a framework: an HTTP codec under tokio-proto's pipeline, after tokio-minihttp's design
//! (that program was never released; this codec is our own).

mod codec;

use std::io;

use futures::{future, Stream};
use target_cli::{Body, Options, EQUAL_BODY, EQUAL_SERVER};
use tokio_core::net::{TcpListener, TcpStream};
use tokio_core::reactor::Core;
use tokio_io::codec::Framed;
use tokio_io::AsyncRead;
use tokio_proto::pipeline::ServerProto;
use tokio_proto::BindServer;
use tokio_service::Service;

use codec::{HttpCodec, Request, Response};

fn main() {
    let options = Options::read();
    let body = options.body;
    options.run_per_thread(move |listener| serve(listener, body));
}

/// What `tokio_proto::TcpServer` does on each of its threads. It binds for itself and never tells which port it got
/// or when it listens, so the ready line needs this loop.
fn serve(listener: std::net::TcpListener, body: Body) {
    let mut core = Core::new().expect("a reactor");
    let handle = core.handle();
    let address = listener.local_addr().expect("a listening socket has an address");
    let listener = TcpListener::from_listener(listener, &address, &handle).expect("the reactor takes the listener");
    let accepting = listener.incoming().for_each(|(stream, _peer)| {
        HttpProto.bind_server(&handle, stream, Hello(body));
        Ok(())
    });
    core.run(accepting).expect("accepting never ends");
}

struct HttpProto;

impl ServerProto<TcpStream> for HttpProto {
    type Request = Request;
    type Response = Response;
    type Transport = Framed<TcpStream, HttpCodec>;
    type BindTransport = io::Result<Self::Transport>;

    fn bind_transport(&self, stream: TcpStream) -> Self::BindTransport {
        Ok(stream.framed(HttpCodec))
    }
}

struct Hello(Body);

impl Service for Hello {
    type Request = Request;
    type Response = Response;
    type Error = io::Error;
    type Future = future::Ok<Response, io::Error>;

    /// 106 bytes for `/` as in the seed, or the common response. The codec adds Content-Length and Date.
    fn call(&self, request: Request) -> Self::Future {
        future::ok(match self.0 {
            Body::Seed => {
                let text = if request.path() == b"/" { "Hello, World!" } else { "Not found" };
                Response { server: "Example", headers: &[], text: text.to_owned() }
            }
            Body::Equal => Response {
                server: EQUAL_SERVER,
                headers: &[("Content-Type", "text/plain")],
                text: EQUAL_BODY.to_owned(),
            },
        })
    }
}
