// http-std answers a short text by net/http.
package main

import (
	"net/http"

	"profpipe.example/targets/serve"
)

func main() {
	serve.HTTP(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "text/plain")
		answer.Write([]byte("Hello, World!"))
	}))
}
