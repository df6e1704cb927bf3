package main

import (
	"encoding/json"
	"slices"
	"sort"
	"strconv"
)

type line struct {
	Product  string
	Quantity int
	Cents    int
}

type order struct {
	Number int
	Lines  []line
	Notes  map[string]string
}

var newest = order{
	Number: 4711,
	Lines:  []line{{"tea", 2, 350}, {"cups", 6, 1200}, {"pot", 1, 2900}},
	Notes:  map[string]string{"gift": "yes", "paper": "blue"},
}

func (o order) copied() order {
	notes := make(map[string]string, len(o.Notes))
	for key, note := range o.Notes {
		notes[key] = note
	}
	return order{o.Number, slices.Clone(o.Lines), notes}
}

func orderCopied() []byte {
	return strconv.AppendInt(nil, int64(len(newest.copied().Lines)), 10)
}

func orderCopiedByJSON() []byte {
	var copied order
	text, _ := json.Marshal(newest)
	json.Unmarshal(text, &copied)
	return strconv.AppendInt(nil, int64(len(copied.Lines)), 10)
}

var cents = func() []int {
	all := make([]int, 400)
	for place := range all {
		all[place] = (place*7919 + 13) % 1000
	}
	return all
}()

func cheapestKept() []byte {
	return strconv.AppendInt(nil, int64(slices.Min(cents)), 10)
}

func cheapestBySorting() []byte {
	sorted := slices.Clone(cents)
	sort.Slice(sorted, func(a, b int) bool { return sorted[a] < sorted[b] })
	return strconv.AppendInt(nil, int64(sorted[0]), 10)
}
