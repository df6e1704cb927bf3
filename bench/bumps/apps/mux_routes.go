// Twenty routes of gorilla/mux; the last one is asked for.
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/gorilla/mux"
)

func answer(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, mux.Vars(r)["key"])
}

func main() {
	router := mux.NewRouter()
	for number := 0; number < 20; number++ {
		router.HandleFunc(fmt.Sprintf("/part%d/{key}", number), answer)
	}
	fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Args[1], router))
}
