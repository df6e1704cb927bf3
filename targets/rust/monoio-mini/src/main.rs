//! The HTTP of `may-http` on monoio's epoll driver: stackless futures, one runtime per thread, owned buffers.

use std::io;

use mini_http::{response, take_request, READ_SIZE};
use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::{LegacyDriver, RuntimeBuilder};
use target_cli::{Body, Options};

fn main() {
    let options = Options::read();
    let body = options.body;
    options.run_per_thread(move |listener| {
        let mut runtime = RuntimeBuilder::<LegacyDriver>::new().build().expect("a runtime");
        runtime.block_on(accept(listener, body)).expect("accepting never ends");
    });
}

async fn accept(listener: std::net::TcpListener, body: Body) -> io::Result<()> {
    listener.set_nonblocking(true)?; // a blocking one stops the whole runtime in accept()
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _peer) = listener.accept().await?;
        // An error here concerns no one but this peer, which sees its connection closed.
        monoio::spawn(async move { serve(stream, body).await.unwrap_or_default() });
    }
}

async fn serve(mut stream: TcpStream, body: Body) -> io::Result<()> {
    let mut input = Vec::new();
    let mut path = String::new();
    loop {
        while take_request(&mut input, &mut path)? {
            stream.write_all(response(body, &path).into_bytes()).await.0?;
        }
        let (length, chunk) = stream.read(vec![0; READ_SIZE]).await;
        match length? {
            0 => return Ok(()),
            length => input.extend_from_slice(&chunk[..length]),
        }
    }
}
