package main

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

const article = "article 1234, shelf 56 (7 in stock), box 890"

var digits = regexp.MustCompile(`[0-9]+`)

func digitsOf() []byte {
	return []byte(strings.Join(digits.FindAllString(article, -1), ","))
}

func digitsByNewExpression() []byte {
	return []byte(strings.Join(regexp.MustCompile(`[0-9]+`).FindAllString(article, -1), ","))
}

func pricesAppended() []byte {
	text := make([]byte, 0, 4096)
	for number := range 100 {
		text = append(text, "item "...)
		text = strconv.AppendInt(text, int64(number), 10)
		text = append(text, " costs "...)
		text = strconv.AppendInt(text, int64(number*3), 10)
	}
	return text
}

func pricesFormatted() []byte {
	text := make([]byte, 0, 4096)
	for number := range 100 {
		text = append(text, fmt.Sprintf("item %d costs %d", number, number*3)...)
	}
	return text
}

func listJoined() []byte {
	var text strings.Builder
	for number := range 200 {
		text.WriteString("entry ")
		text.WriteString(strconv.Itoa(number))
	}
	return []byte(text.String())
}

func listConcatenated() []byte {
	text := ""
	for number := range 200 {
		text += "entry " + strconv.Itoa(number)
	}
	return []byte(text)
}

func sumOfFields() []byte {
	sum := 0
	for range 50 {
		for _, bought := range newest.Lines {
			sum += bought.Quantity + bought.Cents
		}
	}
	return strconv.AppendInt(nil, int64(sum), 10)
}

func sumByReflection() []byte {
	sum := 0
	for range 50 {
		for _, bought := range newest.Lines {
			fields := reflect.ValueOf(bought)
			sum += int(fields.FieldByName("Quantity").Int() + fields.FieldByName("Cents").Int())
		}
	}
	return strconv.AppendInt(nil, int64(sum), 10)
}

func rates() map[string]int {
	table := make(map[string]int)
	for number := range 200 {
		table["country "+strconv.Itoa(number)] = number
	}
	return table
}

var kept = rates()

func ratesKept() []byte {
	return strconv.AppendInt(nil, int64(kept["country 17"]), 10)
}

func ratesRebuilt() []byte {
	return strconv.AppendInt(nil, int64(rates()["country 17"]), 10)
}

func totalsInTurn() []byte {
	total := 0
	for part := range 50 {
		total += part * part
	}
	return strconv.AppendInt(nil, int64(total), 10)
}

func totalsByGoroutines() []byte {
	parts := make(chan int)
	var all sync.WaitGroup
	for part := range 50 {
		all.Add(1)
		go func() {
			defer all.Done()
			parts <- part * part
		}()
	}
	go func() {
		all.Wait()
		close(parts)
	}()
	total := 0
	for part := range parts {
		total += part
	}
	return strconv.AppendInt(nil, int64(total), 10)
}
