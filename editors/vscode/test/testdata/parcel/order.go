package parcel

// An Order is a number of parcels that go to one zone.
type Order struct {
	Zone  string
	Grams []int // of each parcel
}

// Total returns the price of an order in cents.
func (o Order) Total() int {
	total := 0
	for _, grams := range o.Grams {
		total += Tariff(o.Zone, grams)
	}
	return total
}
