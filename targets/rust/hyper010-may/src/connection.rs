use std::io::{self, BufWriter, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use hyper::buffer::BufReader;
use hyper::header::{Connection, ContentType, Headers, Server};
use hyper::http::should_keep_alive;
use hyper::mime::{Mime, SubLevel, TopLevel};
use hyper::net::NetworkStream;
use hyper::server::{Request, Response};
use may::net::TcpStream;
use target_cli::{Body, EQUAL_BODY, EQUAL_SERVER};

use crate::stream::MayStream;

/// hyper 0.10's own keep-alive timeout.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Answers requests until the peer or an error ends the connection.
pub fn serve(mut stream: TcpStream, body: Body) {
    // No error here concerns anyone but this peer, which sees its connection closed.
    let _ = serve_until_closed(&mut stream, body);
    let _ = stream.shutdown(Shutdown::Both);
}

fn serve_until_closed(stream: &mut TcpStream, body: Body) -> hyper::Result<()> {
    let peer = stream.peer_addr()?;
    let mut read_half = MayStream(stream.try_clone()?);
    let mut reader = BufReader::new(&mut read_half as &mut dyn NetworkStream);
    let mut writer = BufWriter::new(stream);
    while answer_one(&mut reader, &mut writer, peer, body)? {
        // Together with the call in `answer_one`: two setsockopt per request that no instruction count shows.
        // hyper 0.10's server makes both, so they stay.
        reader.get_ref().set_read_timeout(Some(KEEP_ALIVE))?;
    }
    Ok(())
}

/// Reads one request and sends its response; false if the connection is to be closed.
fn answer_one(
    reader: &mut BufReader<&mut dyn NetworkStream>,
    writer: &mut dyn Write,
    peer: SocketAddr,
    body: Body,
) -> hyper::Result<bool> {
    let request = Request::new(reader, peer)?;
    request.set_read_timeout(None)?;
    let keep_alive = should_keep_alive(request.version, &request.headers);
    let version = request.version;
    let mut headers = Headers::new();
    if !keep_alive {
        headers.set(Connection::close());
    }
    let mut response = Response::new(writer, &mut headers);
    response.version = version;
    send(response, body)?;
    Ok(keep_alive && should_keep_alive(version, &headers))
}

/// 88 bytes as in the seed, or the common response. hyper adds Content-Length and Date.
fn send(mut response: Response, body: Body) -> io::Result<()> {
    match body {
        Body::Seed => response.send(b"Hello World!"),
        Body::Equal => {
            let headers = response.headers_mut();
            headers.set(Server(EQUAL_SERVER.to_owned()));
            headers.set(ContentType(Mime(TopLevel::Text, SubLevel::Plain, vec![])));
            response.send(EQUAL_BODY.as_bytes())
        }
    }
}
