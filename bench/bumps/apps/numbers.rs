//! Five hundred numbers in decimal.
use tiny_http::{Response, Server};

fn main() {
    let port = std::env::args().nth(1).expect("a port");
    let server = Server::http(format!("127.0.0.1:{port}")).expect("a free port");
    for request in server.incoming_requests() {
        let mut text = String::new();
        let mut buffer = itoa::Buffer::new();
        for number in 0..500u64 {
            text.push_str(buffer.format(number * 7919));
        }
        let _ = request.respond(Response::from_string(text));
    }
}
