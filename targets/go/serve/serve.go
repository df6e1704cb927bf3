// Package serve is what the servers of this folder have in common: their option and the line that says they are ready.
package serve

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
)

// Listener listens on 127.0.0.1 at --port (0, the default, picks one) and prints `ready port=N`.
func Listener() net.Listener {
	port := flag.Int("port", 0, "the port; 0 picks one")
	flag.Parse()
	listener, failed := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if failed != nil {
		fmt.Fprintln(os.Stderr, failed)
		os.Exit(1)
	}
	fmt.Printf("ready port=%d\n", listener.Addr().(*net.TCPAddr).Port)
	return listener
}

// HTTP serves by net/http until it fails.
func HTTP(handler http.Handler) {
	fmt.Fprintln(os.Stderr, http.Serve(Listener(), handler))
	os.Exit(1)
}
