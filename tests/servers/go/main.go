// A small server for the tests: it answers every request with a list of MANY prices.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"example.com/small/prices"
)

var many, _ = strconv.Atoi(os.Getenv("MANY"))

func serve(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for {
		line, failed := reader.ReadString('\n')
		if failed != nil {
			return
		}
		if strings.TrimSpace(line) == "" {
			body := prices.List(many)
			fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}
	}
}

func main() {
	listener, failed := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if failed != nil {
		fmt.Fprintln(os.Stderr, failed)
		os.Exit(1)
	}
	fmt.Println("ready")
	for {
		connection, failed := listener.Accept()
		if failed != nil {
			return
		}
		go serve(connection)
	}
}
