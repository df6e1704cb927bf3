// Package prices is the part of the server that costs.
package prices

import "strconv"

// List adds one string to another `many` times: each makes a new one.
func List(many int) string {
	text := "the prices are: "
	for number := 0; number < many; number++ {
		text += strconv.Itoa(number) + ","
	}
	return text
}
