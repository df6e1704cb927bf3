// http-fasthttp answers a short text by fasthttp.
package main

import (
	"fmt"
	"os"

	"github.com/valyala/fasthttp"

	"profpipe.example/targets/serve"
)

func main() {
	failed := fasthttp.Serve(serve.Listener(), func(request *fasthttp.RequestCtx) {
		request.SetContentType("text/plain")
		request.SetBodyString("Hello, World!")
	})
	fmt.Fprintln(os.Stderr, failed)
	os.Exit(1)
}
