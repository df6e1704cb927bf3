// A hostile page: MathML whose one attribute is long, with many comments in it.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	"golang.org/x/net/html"
)

var page = `<math><annotation-xml encoding="` + strings.Repeat("A", 5000) + `">` + strings.Repeat("<!-- -->x", 200)

func answer(w http.ResponseWriter, r *http.Request) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	fmt.Fprint(w, root.LastChild.Data)
}

func main() {
	http.HandleFunc("/", answer)
	fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
