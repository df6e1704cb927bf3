use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::thread;

use socket2::{Domain, Socket, Type};

use crate::Options;

/// What tokio-core, tokio-proto and may pass to listen(); one value for all servers.
const BACKLOG: i32 = 1024;

impl Options {
    /// The one listening socket of a server whose threads share it. A port that is taken ends the process.
    pub fn listener(&self) -> TcpListener {
        bind(self.port, false).unwrap_or_else(|error| cannot_listen(self.port, error))
    }

    /// One listening socket for each thread, on one port, for servers that run one event loop per thread.
    pub fn listeners(&self) -> Vec<TcpListener> {
        let first = self.listener();
        if self.threads == 1 {
            return vec![first];
        }
        // SO_REUSEPORT only joins sockets that all have it, so `first`, which made sure that the port is free,
        // makes room here. Without that check a server forgotten on this port would share the load unseen.
        let port = port_of(&first);
        drop(first);
        let bind_shared = |_| bind(port, true).unwrap_or_else(|error| cannot_listen(port, error));
        (0..self.threads).map(bind_shared).collect()
    }

    /// Prints the line that a profiler run waits for, and starts the clock of `--exit-after`.
    pub fn announce(&self, port: u16) {
        if let Some(exit_after) = self.exit_after {
            // The seed's trick: a profiler of its day kept its results only if the server ended by itself.
            thread::spawn(move || {
                thread::sleep(exit_after);
                process::exit(0);
            });
        }
        println!("ready port={port}");
        io::stdout().flush().expect("stdout takes the ready line");
    }

    /// Runs `serve` once per thread, each with a listening socket of its own, the first on this thread.
    pub fn run_per_thread(&self, serve: impl Fn(TcpListener) + Clone + Send + 'static) {
        let mut listeners = self.listeners();
        let first = listeners.remove(0);
        let port = port_of(&first);
        for listener in listeners {
            let serve = serve.clone();
            thread::spawn(move || serve(listener));
        }
        self.announce(port);
        serve(first);
    }
}

/// The port that a listening socket got.
pub fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("a listening socket has an address").port()
}

fn bind(port: u16, share_port: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(share_port)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn cannot_listen(port: u16, error: io::Error) -> ! {
    eprintln!("cannot listen on 127.0.0.1:{port}: {error}");
    process::exit(1)
}
