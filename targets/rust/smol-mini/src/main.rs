//! The HTTP of `may-http` on smol: stackless futures on a single-threaded executor.

use std::io;

use mini_http::{response, take_request, READ_SIZE};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Async, LocalExecutor};
use target_cli::{Body, Options};

fn main() {
    let options = Options::read();
    let body = options.body;
    // One executor per thread. All of them share async-io's one reactor, which is the process's.
    options.run_per_thread(move |listener| {
        let executor = LocalExecutor::new();
        smol::block_on(executor.run(accept(&executor, listener, body))).expect("accepting never ends");
    });
}

async fn accept(executor: &LocalExecutor<'_>, listener: std::net::TcpListener, body: Body) -> io::Result<()> {
    let listener = Async::new(listener)?;
    loop {
        let (stream, _peer) = listener.accept().await?;
        // An error here concerns no one but this peer, which sees its connection closed.
        executor.spawn(async move { serve(stream, body).await.unwrap_or_default() }).detach();
    }
}

async fn serve(mut stream: Async<std::net::TcpStream>, body: Body) -> io::Result<()> {
    let mut input = Vec::new();
    let mut path = String::new();
    loop {
        while take_request(&mut input, &mut path)? {
            stream.write_all(response(body, &path).as_bytes()).await?;
        }
        let mut chunk = vec![0; READ_SIZE];
        match stream.read(&mut chunk).await? {
            0 => return Ok(()),
            length => input.extend_from_slice(&chunk[..length]),
        }
    }
}
