// Package catalogue is what both JSON servers answer with.
package catalogue

import "fmt"

// Product is one entry of the answer.
type Product struct {
	ID     int               `json:"id"`
	Name   string            `json:"name"`
	Price  float64           `json:"price"`
	Tags   []string          `json:"tags"`
	Labels map[string]string `json:"labels"`
}

// Products are twenty entries, 2.4 KB of JSON.
func Products() []Product {
	products := make([]Product, 0, 20)
	for id := range 20 {
		products = append(products, Product{
			ID:     id,
			Name:   fmt.Sprintf("product number %d", id),
			Price:  float64(id) * 1.25,
			Tags:   []string{"new", "sale"},
			Labels: map[string]string{"colour": "red", "size": "medium"},
		})
	}
	return products
}
