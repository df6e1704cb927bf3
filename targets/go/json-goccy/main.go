// json-goccy answers with a list of products, encoded by github.com/goccy/go-json for each request.
package main

import (
	"github.com/goccy/go-json"
	"net/http"

	"profpipe.example/targets/catalogue"
	"profpipe.example/targets/serve"
)

func main() {
	products := catalogue.Products()
	serve.HTTP(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		body, failed := json.Marshal(products)
		if failed != nil {
			http.Error(answer, failed.Error(), http.StatusInternalServerError)
			return
		}
		answer.Header().Set("Content-Type", "application/json")
		answer.Write(body)
	}))
}
