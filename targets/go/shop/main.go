// shop is one server with eight habits that cost: each path answers in a usual way, or by the habit that the
// environment variable HABIT names. causes.toml has what a report must say of each.
package main

import (
	"net/http"
	"os"

	"profpipe.example/targets/serve"
)

type way func() []byte

// Name of a path -> the usual way and the habit. Both give the same answer.
var paths = map[string][2]way{
	"regexp":     {digitsOf, digitsByNewExpression},
	"format":     {pricesAppended, pricesFormatted},
	"reflection": {sumOfFields, sumByReflection},
	"goroutines": {totalsInTurn, totalsByGoroutines},
	"strings":    {listJoined, listConcatenated},
	"map":        {ratesKept, ratesRebuilt},
	"copy":       {orderCopied, orderCopiedByJSON},
	"sorting":    {cheapestKept, cheapestBySorting},
	"control":    {listJoined, listJoined},
}

func main() {
	mux := http.NewServeMux()
	for name, ways := range paths {
		chosen := ways[0]
		if os.Getenv("HABIT") == name {
			chosen = ways[1]
		}
		mux.HandleFunc("/"+name, func(answer http.ResponseWriter, _ *http.Request) {
			answer.Write(chosen())
		})
	}
	serve.HTTP(mux)
}
