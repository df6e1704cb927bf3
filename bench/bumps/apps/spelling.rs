//! The distance of a word from eighty others, transpositions included.
use tiny_http::{Response, Server};

fn main() {
    let port = std::env::args().nth(1).expect("a port");
    let server = Server::http(format!("127.0.0.1:{port}")).expect("a free port");
    let words: Vec<String> = (0..80).map(|n| format!("a description of item {n}")).collect();
    for request in server.incoming_requests() {
        let nearest: usize = words.iter().map(|word| strsim::damerau_levenshtein(word, "a descripton of itme 40")).sum();
        let _ = request.respond(Response::from_string(nearest.to_string()));
    }
}
