// A small server for the tests that serves /debug/pprof beside its answers, as many do. With TIMEOUT its answers may take
// so many seconds; with WAIT each answer is handed over by another goroutine.
package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"strconv"
	"strings"
	"time"
)

func prices() string {
	var text strings.Builder
	for number := 0; number < 2000; number++ {
		fmt.Fprintf(&text, "item %d costs %d\n", number, number*3)
	}
	return text.String()
}

func handedOver() string {
	parts := make(chan string)
	go func() {
		time.Sleep(time.Millisecond)
		parts <- "handed over"
	}()
	return <-parts
}

func main() {
	listener, failed := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if failed != nil {
		fmt.Fprintln(os.Stderr, failed)
		os.Exit(1)
	}
	answer := prices
	if os.Getenv("WAIT") != "" {
		answer = handedOver
	}
	http.HandleFunc("/", func(out http.ResponseWriter, _ *http.Request) { fmt.Fprint(out, answer()) })
	seconds, _ := strconv.Atoi(os.Getenv("TIMEOUT"))
	fmt.Println("ready")
	server := http.Server{WriteTimeout: time.Duration(seconds) * time.Second}
	server.Serve(listener)
}
