// A hostile Accept-Language header: nothing but dashes.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	"golang.org/x/text/language"
)

var header = "en" + strings.Repeat("-a", 1200)

func answer(w http.ResponseWriter, r *http.Request) {
	tags, _, err := language.ParseAcceptLanguage(header)
	fmt.Fprint(w, len(tags), err)
}

func main() {
	http.HandleFunc("/", answer)
	fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
