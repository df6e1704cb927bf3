use std::fmt::Write;
use std::io;
use std::ops::Range;

use bytes::{BufMut, BytesMut};
use mini_http::with_date;
use tokio_io::codec::{Decoder, Encoder};

/// As many header lines as a request may have.
const MAX_HEADERS: usize = 16;

/// More than the fixed parts of a response's head, a date and a length ever take.
const HEAD_BYTES: usize = 128;

pub struct HttpCodec;

/// A request keeps its bytes and knows where its path is in them: nothing is copied.
pub struct Request {
    path: Range<usize>,
    bytes: BytesMut,
}

impl Request {
    pub fn path(&self) -> &[u8] {
        &self.bytes[self.path.clone()]
    }
}

pub struct Response {
    pub server: &'static str,
    pub headers: &'static [(&'static str, &'static str)],
    pub text: String,
}

impl Decoder for HttpCodec {
    type Item = Request;
    type Error = io::Error;

    fn decode(&mut self, input: &mut BytesMut) -> io::Result<Option<Request>> {
        if input.is_empty() {
            return Ok(None); // Framed asks once more after every request
        }
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let status = request.parse(input).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let httparse::Status::Complete(head_length) = status else { return Ok(None) };
        let path = request.path.expect("a whole head has a path");
        let start = path.as_ptr() as usize - input.as_ptr() as usize;
        let path = start..start + path.len();
        Ok(Some(Request { path, bytes: input.split_to(head_length) }))
    }
}

impl Encoder for HttpCodec {
    type Item = Response;
    type Error = io::Error;

    fn encode(&mut self, response: Response, output: &mut BytesMut) -> io::Result<()> {
        let Response { server, headers, text } = response;
        let header_bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        // Reserved once: BytesMut does not grow when it is formatted into.
        output.reserve(HEAD_BYTES + server.len() + header_bytes + text.len());
        let length = text.len();
        // One formatting call for the whole head, and the date rendered once a second, as in the seed's rival.
        with_date(|date| {
            write!(output, "HTTP/1.1 200 OK\r\nServer: {server}\r\nContent-Length: {length}\r\nDate: {date}\r\n")
        })
        .expect("the reserved bytes suffice");
        for (name, value) in headers {
            for part in [name, ": ", value, "\r\n"] {
                output.put_slice(part.as_bytes());
            }
        }
        output.put_slice(b"\r\n");
        output.put_slice(text.as_bytes());
        Ok(())
    }
}
